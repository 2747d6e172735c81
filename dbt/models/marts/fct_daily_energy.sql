with readings as (

    select * from {{ ref('stg_meter_readings') }}

),

-- a missing counter was archived as 0.0, which is no reading: taken for one, it would make the day as large as the meter's whole total.
-- Only of a meter that never counted anything are the zeros its readings.
counted as (

    select
        *,
        case
            when energy_import_kwh <> 0 then energy_import_kwh
            when max(energy_import_kwh) over (partition by source) = 0 then energy_import_kwh
        end as import_reading_kwh
    from readings

),

daily as (

    select
        date_jst,
        source,
        max(import_reading_kwh) - min(import_reading_kwh) as daily_energy_kwh,
        max(instant_power_w) as peak_w,
        min_by(ts_jst, (-instant_power_w, ts_utc)) as peak_at_jst,
        min(ts_jst) as first_reading_jst,
        max(ts_jst) as last_reading_jst,
        count(*) as readings
    from counted
    group by date_jst, source

)

select * from daily
