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

quarters as (

    select
        source,
        quarter_utc,
        quarter_jst,
        sum(kwh) filter (counter = 'import') as import_kwh,
        sum(kwh) filter (counter = 'export') as export_kwh
    from {{ ref('int_quarter_energy') }}
    where
        kwh is not null and source in (select source from tariffs)
        {%- if is_incremental() %}
            and {{ is_of_changed_day() }}
        {%- endif %}
    group by source, quarter_utc, quarter_jst

),

priced as (

    select
        quarters.source,
        quarters.quarter_jst::date as date_jst,
        quarters.import_kwh,
        quarters.export_kwh,
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
        {{ lacks_counter('sum(import_kwh)', 'sum(export_kwh)', 'date_jst') }},
        null,
        coalesce(sum(import_kwh * import_price), 0) - coalesce(sum(export_kwh * feed_in_price), 0)
    ) as net_cost,
    coalesce(sum(import_kwh) filter (import_price is null), 0)
    + coalesce(sum(export_kwh) filter (feed_in_price is null), 0) as unpriced_kwh
from priced
left join {{ ref('int_counter_begins') }} using (source)
group by date_jst, source
