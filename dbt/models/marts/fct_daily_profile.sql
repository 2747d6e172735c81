with newest as (

    select
        source,
        max(quarter_jst) as last_jst
    from {{ ref('int_quarter_energy') }}
    where kwh is not null
    group by source

),

-- joined rather than windowed: a window would keep the quarters of all years in memory
quarters as (

    select
        *,
        {{ setting('max_gap_s') }} as max_gap_s
    from {{ ref('int_quarter_energy') }}
    inner join newest using (source)
    where kwh is not null and quarter_jst > last_jst - interval 1 year

)

select
    source,
    if(isodow(quarter_jst) > 5, 'weekend', 'workday') as day_kind,
    quarter_jst::time as time_jst,
    avg(4000 * kwh) filter (counter = 'import') as import_w,
    avg(4000 * kwh) filter (counter = 'export') as export_w,
    count(distinct quarter_jst::date)::int as days
from quarters
-- the last year, without what is only estimated
where longest_step_s <= max_gap_s and coalesce(estimated_kwh, 0) = 0
group by source, 2, 3
