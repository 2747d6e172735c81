with quarters as (

    select * from {{ ref('int_counter_quarters') }}

),

summed as (

    select
        *,
        {{ registers_needed() }} as registers
    from quarters
    where {{ is_summed() }}

)

select
    source,
    counter,
    quarter_utc,
    quarter_jst,
    kwh,
    estimated_kwh,
    readings,
    longest_step_s
from quarters
where not {{ is_summed() }}
union all
select
    source,
    counter,
    quarter_utc,
    quarter_jst,
    -- a sum without one of its registers would be too small, also before its first reading
    if(count(kwh) < any_value(registers), null, sum(kwh)) as kwh,
    sum(estimated_kwh) as estimated_kwh,
    min(readings) as readings,
    max(longest_step_s) as longest_step_s
from summed
group by source, counter, quarter_utc, quarter_jst
