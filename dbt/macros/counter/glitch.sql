{#
    Where readings leave the counter's path, and what they were.

    A break is a value that cannot follow the one before it. Readings that leave the path upward must come down again: a rise that stays is a swap.
    Around a break the path is looked for that asks for the least doubt: each reading that it leaves out is a glitch and costs 1, at most
    `glitch_readings` in a row; each reset or swap costs more than the longest glitch; a run of 0.0 may be left out for nothing, then it is a hole.
    Of equal paths the one is taken that stays with the earlier readings. Two values at one time that differ
    by more than noise contradict each other: neither is a reading, both are glitches. Further from a break than a glitch is long, nothing is in doubt,
    so that neighbourhoods are judged one by one. One of more than 100 readings is a counter that nobody can follow (two meters that take turns under
    one name): the readings in it are glitches.

    Reads `sequences`, `nodes` and `zeros` of counter_steps(). Makes `path`, a row per reading around a break with the reading before it on the path,
    `glitches`, and `members`, the nodes that these speak of.
#}
{% macro paths_around_breaks() %}
{%- set reach = largest('glitch_readings') + 1 -%}
breaks as (

    select
        seq,
        n
    from (select *, {{ settings_of_sequence() }} from nodes)
    where before_utc is not null and not {{ can_follow('before_utc', 'before_kwh', 'at_utc', 'kwh') }}

),

doubtful as (

    select distinct
        seq,
        unnest(range(greatest(n - {{ reach }}, 1), n + {{ reach }})) as n
    from breaks

),

neighbourhoods as (

    select
        seq,
        min(n) as neighbourhood,
        min(n) - 1 as first_n,
        max(n) + 1 as last_n
    from (
        select
            seq,
            n,
            n - row_number() over (partition by seq order by n) as island
        from doubtful
    )
    group by seq, island

),

-- with the last reading before it and the first one after it, which are on the path
members as (

    select
        seq,
        neighbourhood,
        first_n,
        unnest(range(first_n, last_n + 1)) as n
    from neighbourhoods

),

judged as (

    select
        seq,
        neighbourhood,
        at_utc,
        kwh,
        max(kwh) over same_time - min(kwh) over same_time > counter_noise_kwh + 1e-9 as contradicts
    from members
    inner join nodes using (seq, n)
    inner join sequences using (seq)
    window same_time as (partition by seq, neighbourhood, at_utc)

),

-- the zeros between a value and a lower one: the counter may have begun again
zero_runs as (

    select
        falls.seq,
        falls.neighbourhood,
        min(zeros.at_utc) as first_utc,
        max(zeros.at_utc) as last_utc
    from (select * from zeros where seq in (select seq from breaks)) as zeros
    asof inner join (
        select
            seq,
            neighbourhood,
            at_utc,
            kwh,
            lead(at_utc) over in_order as next_utc,
            lead(kwh) over in_order as next_kwh
        from judged
        where not contradicts
        window in_order as (partition by seq, neighbourhood order by at_utc, kwh)
    ) as falls
        on zeros.seq = falls.seq and zeros.at_utc > falls.at_utc
    where zeros.at_utc < falls.next_utc and falls.next_kwh < falls.kwh
    group by falls.seq, falls.neighbourhood, falls.at_utc, falls.kwh

),

places as (

    select
        *,
        row_number() over in_order as place,
        sum((not is_zero)::int) over in_order as readings_so_far,
        count(*) over (partition by seq, neighbourhood) > 100 as too_long,
        lead(at_utc) over in_order is null as is_last
    from (
        select
            seq,
            neighbourhood,
            at_utc,
            at_utc as until_utc,
            kwh,
            false as is_zero
        from judged
        where not contradicts
        union all
        select
            seq,
            neighbourhood,
            first_utc as at_utc,
            last_utc as until_utc,
            0.0 as kwh,
            true as is_zero
        from zero_runs
    )
    window in_order as (partition by seq, neighbourhood order by at_utc, kwh rows unbounded preceding)

),

onward as (

    select
        *,
        list(kwh) over from_here as kwh_from_here,
        lead(kwh) over (partition by seq, neighbourhood order by place) as next_kwh
    from places
    window from_here as (partition by seq, neighbourhood order by place rows between current row and {{ 2 * reach }} following)

),

ways as (

    select
        seq,
        neighbourhood,
        place,
        next_place,
        case when follows then 1000 * left_out else 1000 * (glitch_readings + 1) end - is_zero::int as cost
    from (
        select
            a.seq,
            a.neighbourhood,
            a.place,
            b.place as next_place,
            b.is_zero,
            glitch_readings,
            b.readings_so_far - (not b.is_zero)::int - a.readings_so_far as left_out,
            {{ can_follow('a.until_utc', 'a.kwh', 'b.at_utc', 'b.kwh') }}
            and (
                b.place = a.place + 1
                or a.next_kwh < a.kwh
                or b.kwh < list_max(a.kwh_from_here[2:b.place - a.place]) - counter_noise_kwh
            ) as follows
        from onward as a
        inner join places as b
            on a.seq = b.seq and a.neighbourhood = b.neighbourhood and b.place > a.place and b.place <= a.place + {{ 2 * reach }}
        inner join sequences on a.seq = sequences.seq
        where not a.too_long
    )
    where left_out = 0 or (follows and left_out <= glitch_readings)

),

-- place by place the cheapest path to it, as (cost, places), and those to the places before it from which a way may start
walk as (

    select
        seq,
        neighbourhood,
        place,
        [(0::bigint, [place])] as cheapest
    from places
    where place = 1 and not too_long
    union all
    select
        seq,
        neighbourhood,
        reached.place + 1 as place,
        list_append(
            any_value(reached.cheapest)[-{{ 2 * reach }}:],
            min((reached.way[1] + ways.cost, list_append(reached.way[2], ways.next_place)))
        ) as cheapest
    from (
        select
            *,
            unnest(cheapest) as way
        from walk
    ) as reached
    inner join ways using (seq, neighbourhood)
    where reached.way[2][-1] = ways.place and reached.place + 1 = ways.next_place
    group by seq, neighbourhood, reached.place

),

walked as (

    select
        seq,
        neighbourhood,
        unnest(max_by(cheapest, place)[-1][2]) as place
    from walk
    group by seq, neighbourhood
    union all
    select
        seq,
        neighbourhood,
        place
    from places
    where too_long and (place = 1 or is_last)

),

path as (

    select
        seq,
        neighbourhood,
        at_utc,
        until_utc,
        kwh,
        is_zero,
        lag(until_utc) over along as from_utc,
        lag(kwh) over along as from_kwh
    from places
    inner join walked using (seq, neighbourhood, place)
    window along as (partition by seq, neighbourhood order by place)

),

glitches as (

    select
        seq,
        at_utc,
        kwh
    from places
    anti join walked using (seq, neighbourhood, place)
    where not is_zero
    union all
    select
        seq,
        at_utc,
        kwh
    from judged
    where contradicts

)
{%- endmacro %}
