with known as (

    select
        source,
        counter,
        register,
        max(quarter_utc) filter (kwh is not null) + interval 15 minutes as known_to_utc,
        max_by(quarter_jst, quarter_utc) filter (readings > 0)
        + interval 15 minutes as silent_since_jst
    from {{ ref('int_counter_quarters') }}
    inner join {{ ref('int_register_begins') }} using (source, counter, register)
    where {{ is_declared() }}
    group by source, counter, register

),

ends as (

    select
        *,
        {{ is_on_change() }} as is_on_change,
        {{ writer_utc() }} as writer_utc,
        {{ loaded_to_utc() }} as loaded_to_utc,
        {{ setting('max_gap_s') }} as max_gap_s
    from known

)

select
    source,
    counter,
    register,
    {{ counts_power() }} as is_power,
    silent_since_jst
from ends
where
    (
        -- it may stand still for as long as the judge says, while its dataset goes on
        is_on_change and known_to_utc < writer_utc - to_seconds(max_gap_s)
        or known_to_utc <= loaded_to_utc - if(is_on_change, interval 36 hours, interval 24 hours)
    )
    and coalesce(loaded_to_utc <= {{ midnight(until() ~ ' + 1') }}, true)
