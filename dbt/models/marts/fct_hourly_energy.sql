{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        on_schema_change='append_new_columns',
        pre_hook="{{ find_changed_days(present_quarters_and_begins()) }}",
        post_hook="{{ record_changed_days() }}"
    )
}}

{%- set imported = hour_kwh('import') -%}
{%- set exported = hour_kwh('export') -%}

with quarters as (

    select
        *,
        date_trunc('hour', quarter_jst) as clock_hour,
        quarter_jst - quarter_utc as utc_offset
    from {{ ref('int_quarter_energy') }}
    where
        (kwh is not null or {{ is_summed() }})
        {%- if is_incremental() %}
            and {{ is_of_changed_day() }}
        {%- endif %}

),

-- an hour that comes twice, when the clocks go back, is told apart by its distance from UTC
hours as (

    select
        source,
        clock_hour,
        utc_offset,
        {{ begin_of_hour('clock_hour', 'utc_offset') }} as hour_start_utc,
        {{ imported }} as import_kwh,
        {{ exported }} as export_kwh,
        {{ net(imported, exported, 'clock_hour::date') }} as net_kwh,
        sum(estimated_kwh) as estimated_kwh
    from quarters
    left join {{ ref('int_counter_begins') }} using (source)
    group by source, clock_hour, utc_offset

)

select
    clock_hour::date as date_jst,
    hour_start_utc + utc_offset as hour_jst,
    hour_start_utc,
    source,
    import_kwh,
    export_kwh,
    net_kwh,
    estimated_kwh
from hours
