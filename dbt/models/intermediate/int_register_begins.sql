select
    source,
    counter,
    register,
    min(date_jst) as begin_jst
from {{ ref('int_counter_days') }}
-- a register that is always filled with 0.0 has no readings
where
    kwh is not null
    and (
        highest_kwh <> 0 or lowest_kwh <> 0
        -- energy that was computed from power has no readings of a register
        or (highest_kwh is null and accepted > 0 and kwh > 0)
    )
group by source, counter, register
