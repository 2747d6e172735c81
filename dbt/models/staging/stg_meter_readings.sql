with readings as (

    {{ readings_of_all_meters() }}

)

select * from readings
