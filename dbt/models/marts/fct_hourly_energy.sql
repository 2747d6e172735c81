{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        pre_hook="{{ find_changed_days(present_quarters_and_begins()) }}",
        post_hook="{{ record_changed_days() }}"
    )
}}

{%- set imported = "sum(kwh) filter (counter = 'import')" -%}
{%- set exported = "sum(kwh) filter (counter = 'export')" -%}

with quarters as (

    select * from {{ ref('int_counter_quarters') }}

)

select
    date_trunc('hour', quarter_jst)::date as date_jst,
    date_trunc('hour', quarter_jst) as hour_jst,
    min(quarter_utc - (quarter_jst - date_trunc('hour', quarter_jst))) as hour_start_utc,
    source,
    {{ imported }} as import_kwh,
    {{ exported }} as export_kwh,
    {{ net(imported, exported, "date_trunc('hour', quarter_jst)::date") }} as net_kwh,
    sum(estimated_kwh) as estimated_kwh
from quarters
left join {{ ref('int_counter_begins') }} using (source)
where
    kwh is not null
    {%- if is_incremental() %}
        and {{ is_of_changed_day() }}
    {%- endif %}
-- an hour that comes twice, when the clocks go back, is told apart by its distance from UTC
group by source, date_trunc('hour', quarter_jst), quarter_jst - quarter_utc
