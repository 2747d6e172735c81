with events as (

    select
        source,
        counter,
        register,
        at_utc,
        kind,
        reading_kwh,
        from_utc,
        step_kwh,
        back_kwh,
        until_utc
    from {{ ref('int_counter_judged') }}
    where row_kind = 'event'

),

zero_runs as (

    select * from events
    where until_utc is not null

),

readings as (

    {% for counter in ['import', 'export'] -%}
        {%- set column = 'energy_' ~ counter ~ '_kwh' -%}
        select
            source,
            '{{ counter }}' as counter,
            register,
            ts_utc as at_utc,
            {{ column }} * {{ counts_by("'" ~ counter ~ "'") }} as reading_kwh
        from {{ ref('stg_meter_readings') }}
        where {{ column }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

joined as (

    select
        readings.*,
        coalesce(events.kind, 'rise') as kind,
        events.kind is not null as is_event,
        events.from_utc,
        events.step_kwh,
        events.back_kwh
    from readings
    left join events
        on
            readings.source = events.source and readings.counter = events.counter
            and readings.register = events.register
            and readings.at_utc = events.at_utc and readings.reading_kwh = events.reading_kwh
            and events.until_utc is null

),

-- a 0.0 is a reading in the runs that were judged so, and before the first other value if that
-- went on from it
judged as (

    select
        joined.*,
        joined.reading_kwh <> 0 or joined.is_event or joined.at_utc <= runs.until_utc
        or not bool_or(joined.reading_kwh <> 0 and joined.kind <> 'glitch') over so_far
        and bool_or(joined.kind = 'first') over so_far as is_reading
    from joined
    asof left join zero_runs as runs
        on
            joined.source = runs.source and joined.counter = runs.counter
            and joined.register = runs.register
            and joined.at_utc >= runs.at_utc
    window so_far as (
        partition by joined.source, joined.counter, joined.register
        -- a 0.0 beside another value of its time is a hole
        order by joined.at_utc, joined.reading_kwh = 0 rows unbounded preceding
    )

),

steps as (

    select
        *,
        lag(at_utc) over in_order as before_utc,
        reading_kwh - lag(reading_kwh) over in_order as rise_kwh
    from judged
    where is_reading and kind <> 'glitch'
    window in_order as (
        partition by source, counter, register
        order by at_utc, reading_kwh
    )

)

select
    source,
    counter,
    register,
    at_utc,
    reading_kwh,
    kind,
    if(is_event, from_utc, before_utc) as from_utc,
    if(is_event, step_kwh, rise_kwh) as step_kwh,
    back_kwh
from steps
union all
select
    source,
    counter,
    register,
    at_utc,
    reading_kwh,
    kind,
    null as from_utc,
    null as step_kwh,
    null as back_kwh
from judged
where kind = 'glitch'
