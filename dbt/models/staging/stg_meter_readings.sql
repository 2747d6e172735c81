with source as (

    select * from {{ source('archive', 'raw_meter_readings') }}

),

renamed as (

    select
        ts_utc,
        ts_jst,
        cast(ts_jst as date) as date_jst,
        source,
        instant_power_w,
        energy_import_kwh,
        energy_export_kwh,
        ingested_at
    from source

)

select * from renamed
