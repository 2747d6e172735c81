{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        pre_hook="{{ find_changed_days(present_loads()) }}",
        post_hook="{{ record_changed_days() }}"
    )
}}

with readings as (

    select * from {{ ref('stg_meter_readings') }}
    where
        true
        {%- if is_incremental() %}
            and date_jst in (select dt from changed_days)
            -- let the scan skip the other days
            and ts_utc >= (select min(from_utc) from ({{ changed_ranges() }}))
            and ts_utc < (select max(to_utc) from ({{ changed_ranges() }}))
        {%- endif %}

),

readings_and_sums as (

    {{ with_sums_of_phases('readings') }}

)

select
    date_jst,
    source,
    max(instant_power_w) filter (instant_power_w <> 0) as peak_w,
    min_by(ts_jst, (-instant_power_w, ts_utc)) filter (instant_power_w <> 0) as peak_at_jst,
    min(ts_jst) filter (instant_power_w = 0) as zero_at_jst,
    min(ts_jst) as first_reading_jst,
    max(ts_jst) as last_reading_jst,
    count(*) filter (not is_sum) as readings,
    epoch(max(ts_utc) - min(ts_utc))
    / nullif(count(*) filter (not is_sum) - 1, 0) as mean_step_s
from readings_and_sums
group by date_jst, source
