with known as (

    select * from {{ ref('int_counter_days') }}

),

counters as (

    select distinct
        source,
        counter,
        register
    from known

),

-- also the days on which a counter of the source said nothing
days as (

    select
        date_jst,
        source,
        counter,
        register
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
        {{ days_of_declared_meters() }}
    )
    inner join counters using (source)

),

usual as (

    select
        *,
        median(usual_step_s)
            over {{ last_four_weeks('source, counter, register') }} as usual_interval_s
    from days
    left join known using (date_jst, source, counter, register)
    left join {{ ref('int_register_begins') }} using (source, counter, register)

)

select
    date_jst,
    source,
    counter,
    register,
    begin_jst,
    kwh,
    estimated_kwh,
    coalesce(readings, 0) as readings,
    coalesce(accepted, 0) as accepted,
    coalesce(glitches, 0) as glitches,
    coalesce(resets, 0) as resets,
    coalesce(step_backs, 0) as step_backs,
    coalesce(backwards, 0) as backwards,
    coalesce(fell_within, false) as fell_within,
    longest_step_s,
    usual_interval_s,
    lowest_kwh,
    highest_kwh,
    -- no readings are expected of a counter without any for four weeks, unless it had energy before
    case
        when {{ is_on_change() }} and (kwh is not null or date_jst > begin_jst)
            then {{ coverage('coalesce(known_quarters, 0)', '900', 'date_jst') }}
        when usual_interval_s is not null
            then {{ coverage('coalesce(accepted, 0)', 'usual_interval_s', 'date_jst') }}
        when kwh is not null or date_jst > begin_jst or {{ is_summed() }} then 0
    end as coverage
from usual
