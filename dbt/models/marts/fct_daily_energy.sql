with readings as (

    select * from {{ ref('stg_meter_readings') }}

),

-- a missing value was archived as 0.0, which is no reading: taken for one, it would make the day as large as the meter's whole total,
-- or the peak of a day that only sold. Only of a meter that never said anything else are the zeros its readings.
counted as (

    select
        *,
        {{ reading('instant_power_w') }} as power_reading_w,
        {{ reading('energy_import_kwh') }} as import_reading_kwh
    from readings

),

stepped as (

    select
        *,
        -- of two values at one time the lower one comes last: it counts as a fall
        import_reading_kwh - lag(import_reading_kwh ignore nulls) over (
            partition by date_jst, source
            order by ts_utc, import_reading_kwh desc
        ) as import_step_kwh
    from counted

),

daily as (

    select
        date_jst,
        source,
        -- where the counter falls, it was swapped or reset, or several meters share a name: the difference would be no energy
        case
            when min(import_step_kwh) < -{{ var('counter_noise_kwh') }} then null
            else max(import_reading_kwh) - min(import_reading_kwh)
        end as daily_energy_kwh,
        max(power_reading_w) as peak_w,
        min_by(ts_jst, (-power_reading_w, ts_utc)) filter (power_reading_w is not null) as peak_at_jst,
        min(ts_jst) as first_reading_jst,
        max(ts_jst) as last_reading_jst,
        count(*) as readings
    from stepped
    group by date_jst, source

)

select * from daily
