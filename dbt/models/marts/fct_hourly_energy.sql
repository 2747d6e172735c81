{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        pre_hook="{{ find_changed_days(present_quarters()) }}",
        post_hook="{{ record_changed_days() }}"
    )
}}

with quarters as (

    select * from {{ ref('int_counter_quarters') }}

)

select
    date_trunc('hour', quarter_jst)::date as date_jst,
    date_trunc('hour', quarter_jst) as hour_jst,
    min(quarter_utc - (quarter_jst - date_trunc('hour', quarter_jst))) as hour_start_utc,
    source,
    sum(kwh) filter (counter = 'import') as import_kwh,
    sum(kwh) filter (counter = 'export') as export_kwh,
    {{ net('sum(kwh)') }} as net_kwh,
    sum(estimated_kwh) as estimated_kwh
from quarters
where
    kwh is not null
    {%- if is_incremental() %}
        and {{ is_of_changed_day() }}
    {%- endif %}
-- an hour that comes twice, when the clocks go back, is told apart by its distance from UTC
group by source, date_trunc('hour', quarter_jst), quarter_jst - quarter_utc
