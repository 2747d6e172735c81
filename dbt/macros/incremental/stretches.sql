{# Runs of changed days as spans of UTC. #}

{# They are two hours wider than the days: where a day begins twice, zone rules may take either. #}
{% macro changed_ranges() %}
    select
        {{ midnight('min(dt)') }} - interval 2 hours as from_utc,
        {{ midnight('max(dt) + 1') }} + interval 2 hours as to_utc
    from (
        select
            dt,
            dt - (row_number() over (order by dt))::int as run
        from changed_days
    )
    group by run
{% endmacro %}

{# First instant, UTC, of the days loaded since int_counter_judged was built. NULL if none was. #}
{% macro loaded_since() %}
    select {{ midnight('min(dt)') }} - interval 2 hours
    from ({{ present_loads() }}) as present
    where not exists (
        select 1
        from {{ built_loads() }} as built
        where
            built.model = 'int_counter_judged'
            and built.dt = present.dt and built.load_id = present.load_id
    )
{% endmacro %}
