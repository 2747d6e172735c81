with meters as (

    select
        source,
        kind
    from {{ ref('dim_source') }}
    where kind in ('grid', 'solar', 'battery')

),

counters as (

    select
        source,
        kind,
        counter,
        min(quarter_utc) as begin_utc
    from {{ ref('int_counter_quarters') }}
    inner join meters using (source)
    inner join {{ ref('int_counter_begins') }} using (source)
    where
        kwh is not null
        and quarter_jst::date >= if(counter = 'import', import_begin_jst, export_begin_jst)
    group by source, kind, counter

),

parts as (

    select
        source,
        kind,
        coalesce({{ until() }}, date '9999-12-31') as last_day,
        -- what a solar meter takes at night is in no part
        if(kind = 'solar', 'export', counter) as counter,
        case kind
            when 'grid' then if(counter = 'import', 'imported', 'exported')
            when 'battery' then if(counter = 'import', 'charged', 'discharged')
            else 'produced'
        end as part,
        min(begin_utc) as begin_utc
    from counters
    group by 1, 2, 3, 4, 5

)

select
    source,
    counter,
    part,
    begin_utc,
    if(
        kind <> 'grid' or {{ until() }} < max(last_day) over (partition by kind),
        {{ midnight(until() ~ ' + 1') }},
        null
    ) as end_utc,
    -- a house has a grid before its first meter of it
    begin_utc = coalesce(
        min(begin_utc) filter (part in ('imported', 'exported')) over (), min(begin_utc) over ()
    ) as is_first
from parts
