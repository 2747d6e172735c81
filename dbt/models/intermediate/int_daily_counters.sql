with known as (

    select
        quarter_jst::date as date_jst,
        source,
        counter,
        sum(kwh) as kwh,
        sum(estimated_kwh) as estimated_kwh,
        sum(readings)::int as readings,
        sum(glitches)::int as glitches,
        sum(resets)::int as resets,
        sum(resets_within)::int as resets_within,
        max(longest_step_s) as longest_step_s,
        median(usual_step_s) as usual_step_s,
        min(lowest_kwh) as lowest_kwh,
        max(highest_kwh) as highest_kwh
    from {{ ref('int_counter_quarters') }}
    where kwh is not null or readings > 0 or glitches > 0
    group by 1, source, counter

),

counters as (

    select distinct
        source,
        counter
    from known

),

-- also the days on which a counter of the source said nothing
days as (

    select
        date_jst,
        source,
        counter
    from (
        select
            date_jst,
            source
        from {{ ref('int_daily_power') }}
        union
        select
            date_jst,
            source
        from known
    )
    inner join counters using (source)

),

usual as (

    select
        *,
        median(usual_step_s) over {{ last_four_weeks('source, counter') }} as usual_interval_s
    from days
    left join known using (date_jst, source, counter)

)

select
    date_jst,
    source,
    counter,
    kwh,
    estimated_kwh,
    coalesce(readings, 0) as readings,
    coalesce(glitches, 0) as glitches,
    coalesce(resets, 0) as resets,
    coalesce(resets_within, 0) as resets_within,
    longest_step_s,
    usual_interval_s,
    lowest_kwh,
    highest_kwh,
    -- of a counter that said nothing for four weeks nothing is expected, unless it comes back
    case
        when usual_interval_s is not null then {{ coverage('coalesce(readings, 0)', 'usual_interval_s', 'date_jst') }}
        when kwh is not null then 0
    end as coverage
from usual
