{# A setting as SQL. #}
{% macro sql_literal(value) -%}
    {%- if value is none -%} null
    {%- elif value is string -%} '{{ value | replace("'", "''") }}'
    {%- else -%} {{ value }}
    {%- endif -%}
{%- endmacro %}

{#
    A setting of the row's source: its own in the var `sources`, else the var of that name.
    NULL where neither is set.
#}
{% macro setting(name) -%}
    {%- set own = [] -%}
    {%- for source, settings in (var('sources') or {}).items() if name in settings -%}
        {%- set value = sql_literal(settings[name]) -%}
        {%- do own.append('when ' ~ sql_literal(source) ~ ' then ' ~ value) -%}
    {%- endfor -%}
    {%- set common = sql_literal(var(name)) -%}
    {%- if own -%} case source {{ own | join(' ') }} else {{ common }} end
    {%- else -%} {{ common }}
    {%- endif -%}
{%- endmacro %}

{# In which way a counter counts: up, down or both. #}
{% macro direction(counter) -%}
    if(
        {{ counter }} = 'export',
        coalesce(({{ setting('export_direction') }})::varchar, {{ setting('direction') }}),
        {{ setting('direction') }}
    )
{%- endmacro %}

{# kWh in what a source's values are in. #}
{% macro kwh_per_unit() -%}
    case {{ setting('unit') }} when 'Wh' then 0.001 when 'MWh' then 1000 else 1 end
{%- endmacro %}

{# What a value of a counter is multiplied by so that it counts up in kWh. #}
{% macro counts_by(counter) -%}
    ({{ kwh_per_unit() }} * if({{ direction(counter) }} = 'down', -1, 1))
{%- endmacro %}

{# To be run before the counters are judged: a row of settings for each register. #}
{% macro find_limits() %}
    create or replace temp table counter_limits as
    select
        source,
        counter,
        register,
        {% for name in ['max_power_kw', 'counter_noise_kwh', 'counter_wrap_kwh', 'max_gap_s'] -%}
            ({{ setting(name) }})::double as {{ name }},
        {% endfor -%}
        {{ setting('glitch_readings') }} as glitch_readings,
        {{ direction('counter') }} as direction,
        ({{ kwh_per_unit() }})::double as kwh_per_unit,
        {{ counts_power() }} as is_power,
        {{ is_on_change() }} as is_on_change,
        {{ writer_utc() }} as writer_utc,
        {{ scale() }} as scale,
        {{ writer() }} as writer
    from (
        {{ undeclared_counters() }}
        {%- for declared in var('registers') if declared.counter %}
            union
            select
                {{ sql_literal(declared.source) }},
                {{ sql_literal(declared.counter) }},
                {{ declared.register }}
        {%- endfor %}
        {%- if is_incremental() %}
            -- also those that are gone: their rows go too
            union
            select
                source,
                counter,
                register
            from {{ this }}
        {%- endif %}
    )
{% endmacro %}

{# The counters of the sources of raw_meter_readings, which need no declaration. #}
{% macro undeclared_counters() %}
    select
        source,
        counter,
        1 as register
    from (
        select source from {{ ref('stg_meter_readings') }}
        where
            true
            {%- if is_incremental() %}
                and ts_utc >= (select min(dt) - interval 1 day from changed_days)
                and ts_utc < (select max(dt) + interval 2 days from changed_days)
            {%- endif %}
            {%- if declared_sources() %}
                and source not in ({{ literals(declared_sources()) }})
            {%- endif %}
        group by source
    )
    cross join (values ('import'), ('export')) as counters (counter)
{% endmacro %}

{# A text that the var `sources` gives for the row's source: what it measures, or its name. #}
{% macro source_text(key) -%}
    case source
        {%- for source, settings in (var('sources') or {}).items() if key in settings %}
            when {{ sql_literal(source) }} then {{ sql_literal(settings[key]) }}
        {%- endfor %}
            when null then null
    end::varchar
{%- endmacro %}
