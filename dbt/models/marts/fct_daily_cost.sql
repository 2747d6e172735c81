{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        on_schema_change='append_new_columns',
        pre_hook="{{ find_changed_days(present_priced_quarters()) }}",
        post_hook="{{ record_changed_days() }}"
    )
}}

with tariffs as (

    select * from {{ ref('tariffs') }}

),

counted as (

    select
        *,
        {{ is_summed() }}
        and count(kwh) over (partition by source, counter, clock_hour, utc_offset)
        < {{ quarters_of_hour('clock_hour', 'utc_offset') }} as is_of_unknown_hour
    from (
        select
            *,
            date_trunc('hour', quarter_jst) as clock_hour,
            quarter_jst - quarter_utc as utc_offset
        from {{ ref('int_quarter_energy') }}
    )
    where
        (kwh is not null or {{ is_summed() }}) and source in (select source from tariffs)
        {%- if is_incremental() %}
            and {{ is_of_changed_day() }}
        {%- endif %}

),

-- as in fct_hourly_energy, an hour that is not known whole has no energy
quarters as (

    select
        source,
        quarter_utc,
        quarter_jst,
        sum(kwh) filter (counter = 'import' and not is_of_unknown_hour) as import_kwh,
        sum(kwh) filter (counter = 'export' and not is_of_unknown_hour) as export_kwh,
        bool_or(is_of_unknown_hour) as is_unknown
    from counted
    group by source, quarter_utc, quarter_jst

),

priced as (

    select
        quarters.source,
        quarters.quarter_jst::date as date_jst,
        quarters.import_kwh,
        quarters.export_kwh,
        quarters.is_unknown,
        tariffs.import_price,
        tariffs.feed_in_price,
        tariffs.currency
    from quarters
    left join tariffs
        on
            quarters.source = tariffs.source
            and {{ is_valid_at('quarters.quarter_jst', 'tariffs') }}

)

select
    date_jst,
    source,
    max(currency) as currency,
    sum(import_kwh * import_price) as import_cost,
    sum(export_kwh * feed_in_price) as feed_in_revenue,
    if(
        bool_or(is_unknown)
        or {{ lacks_counter('sum(import_kwh)', 'sum(export_kwh)', 'date_jst') }},
        null,
        coalesce(sum(import_kwh * import_price), 0) - coalesce(sum(export_kwh * feed_in_price), 0)
    ) as net_cost,
    coalesce(sum(import_kwh) filter (import_price is null), 0)
    + coalesce(sum(export_kwh) filter (feed_in_price is null), 0) as unpriced_kwh
from priced
left join {{ ref('int_counter_begins') }} using (source)
group by date_jst, source
