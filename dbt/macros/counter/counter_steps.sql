{#
    The readings of the counters, each with the step that ends in it, and the glitches. `sequences` selects what is judged: a row per source, counter and
    stretch of time (seq, source, counter, load_from_utc, load_to_utc); a stretch begins and ends with the archive, or with a reading that is beyond doubt.
    A filled 0.0 is a hole, unless the counter stood at zero: it never showed anything else, or what it shows next could be delivered since the last zero.

    To be used as `with recursive` {{ '{{ counter_steps(sequences) }}' }}; makes `steps`.
#}
{% macro counter_steps(sequences) %}
{%- set reach = largest('glitch_readings') + 1 -%}
sequences as materialized (

    select
        *,
        {%- for name in ['max_power_kw', 'counter_noise_kwh', 'counter_wrap_kwh', 'glitch_readings', 'max_gap_s'] %}
        {{ setting(name) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ({{ sequences }})

),

counted as not materialized (

    {% for counter, column in {'import': 'energy_import_kwh', 'export': 'energy_export_kwh'}.items() -%}
        select
            sequences.seq,
            readings.ts_utc as at_utc,
            readings.{{ column }} as kwh
        from {{ ref('stg_meter_readings') }} as readings
        inner join sequences on readings.source = sequences.source
        where
            sequences.counter = '{{ counter }}'
            and readings.ts_utc >= sequences.load_from_utc
            and readings.ts_utc <= sequences.load_to_utc
            -- let the scan skip what lies outside of all
            and readings.ts_utc >= (select min(load_from_utc) from sequences)
            and readings.ts_utc <= (select max(load_to_utc) from sequences)
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

zeros as materialized (

    select
        seq,
        at_utc
    from counted
    where kwh = 0

),

nodes as materialized (

    select
        seq,
        at_utc,
        kwh,
        row_number() over in_order as n,
        lag(at_utc) over in_order as before_utc,
        lag(kwh) over in_order as before_kwh,
        lag(at_utc, {{ reach }}) over in_order as support_from_utc,
        lead(at_utc, {{ reach }}) over in_order as support_to_utc
    from counted
    where kwh <> 0
    window in_order as (partition by seq order by at_utc, kwh)

),

{{ paths_around_breaks() }},

on_path as (

    -- beyond doubt, and so are as many readings before and after it as a glitch may have, and one more
    select
        seq,
        at_utc,
        kwh,
        before_utc as from_utc,
        before_kwh as from_kwh,
        support_from_utc,
        support_to_utc
    from nodes
    anti join (select seq, n from members where n > first_n) using (seq, n)
    union all
    select
        seq,
        at_utc,
        kwh,
        from_utc,
        from_kwh,
        null as support_from_utc,
        null as support_to_utc
    from path
    where not is_zero and (from_utc is not null or neighbourhood = 1)

),

starts as (

    select
        seq,
        at_utc as start_utc,
        kwh as start_kwh
    from on_path
    where from_utc is null

),

-- runs of zeros that are readings
standing as (

    select
        seq,
        at_utc as first_utc,
        until_utc as last_utc,
        from_utc,
        from_kwh,
        null::timestamp as start_utc
    from path
    where is_zero
    union all
    select
        seq,
        min(at_utc) as first_utc,
        max(at_utc) as last_utc,
        null as from_utc,
        null as from_kwh,
        start_utc
    from zeros
    inner join starts using (seq)
    inner join sequences using (seq)
    where at_utc < start_utc
    group by seq, start_utc, start_kwh, max_power_kw, counter_noise_kwh, counter_wrap_kwh
    having {{ can_follow('max(at_utc)', '0', 'start_utc', 'start_kwh') }}
    union all
    select
        seq,
        min(at_utc) as first_utc,
        max(at_utc) as last_utc,
        null as from_utc,
        null as from_kwh,
        null as start_utc
    from zeros
    anti join nodes using (seq)
    group by seq

),

zero_readings as (

    select
        zeros.seq,
        zeros.at_utc,
        coalesce(lag(zeros.at_utc) over run, standing.from_utc) as from_utc,
        if(lag(zeros.at_utc) over run is null, standing.from_kwh, 0) as from_kwh
    from zeros
    asof inner join standing
        on zeros.seq = standing.seq and zeros.at_utc >= standing.first_utc
    where zeros.at_utc <= standing.last_utc
    window run as (partition by zeros.seq, standing.first_utc order by zeros.at_utc)

),

judged_readings as (

    select
        on_path.seq,
        on_path.at_utc,
        on_path.kwh,
        coalesce(on_path.from_utc, standing.last_utc) as from_utc,
        if(standing.seq is null, on_path.from_kwh, 0) as from_kwh,
        on_path.support_from_utc,
        on_path.support_to_utc
    from on_path
    left join standing
        on on_path.seq = standing.seq and on_path.at_utc = standing.start_utc and on_path.from_utc is null
    union all
    select
        seq,
        at_utc,
        0 as kwh,
        from_utc,
        from_kwh,
        null as support_from_utc,
        null as support_to_utc
    from zero_readings

),

-- a reading, the step that ends in it, and what kind of step that is
kinds as (

    select
        *,
        {{ step_kind('from_utc', 'from_kwh', 'at_utc', 'kwh') }} as kind
    from (select *, {{ settings_of_sequence() }} from judged_readings)

),

steps as (

    select
        seq,
        at_utc,
        kwh as reading_kwh,
        kind,
        from_utc,
        {{ step_kwh('kind', 'from_kwh', 'kwh') }} as step_kwh,
        epoch(at_utc - from_utc) as step_s,
        support_from_utc,
        support_to_utc
    from kinds
    union all by name
    select
        seq,
        at_utc,
        kwh as reading_kwh,
        'glitch' as kind
    from glitches

)
{%- endmacro %}

{# The settings by which the rows of a sequence are judged. Looked up, not joined: DuckDB would join the many to the few the wrong way round. #}
{% macro settings_of_sequence(names=['max_power_kw', 'counter_noise_kwh', 'counter_wrap_kwh']) -%}
    {%- for name in names -%}
        (select list({{ name }} order by seq) from sequences)[seq] as {{ name }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
