with quarters as (

    select * from {{ ref('int_counter_quarters') }}

),

begins as (

    select * from {{ ref('int_register_begins') }}

),

-- the registers of each counter
counters as (

    select
        source,
        counter,
        list(begin_jst) as begins_jst
    from begins
    group by source, counter

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
    -- a sum without one of its registers would be too small
    if(
        count(kwh) filter (begin_jst < quarter_jst::date)
        < len(list_filter(any_value(begins_jst), lambda begun: begun < quarter_jst::date)),
        null,
        sum(kwh)
    ) as kwh,
    sum(estimated_kwh) as estimated_kwh,
    min(readings) as readings,
    max(longest_step_s) as longest_step_s
from quarters
left join begins using (source, counter, register)
left join counters using (source, counter)
where {{ is_summed() }}
group by source, counter, quarter_utc, quarter_jst
