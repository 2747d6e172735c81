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

{# To be run before the counters are judged: a row of settings for each. #}
{% macro find_limits() %}
    create or replace temp table counter_limits as
    select
        source,
        counter,
        {% for name in ['max_power_kw', 'counter_noise_kwh', 'counter_wrap_kwh', 'max_gap_s'] -%}
            ({{ setting(name) }})::double as {{ name }},
        {% endfor -%}
        {{ setting('glitch_readings') }} as glitch_readings,
        {{ direction('counter') }} as direction,
        ({{ kwh_per_unit() }})::double as kwh_per_unit
    from (
        select source from {{ ref('stg_meter_readings') }}
        {%- if is_incremental() %}
            where
                ts_utc >= (select min(dt) - interval 1 day from changed_days)
                and ts_utc < (select max(dt) + interval 2 days from changed_days)
            union
            select source from {{ this }}
        {%- endif %}
        group by source
    )
    cross join (values ('import'), ('export')) as counters (counter)
{% endmacro %}

{# What a source measures, as the var `sources` says. #}
{% macro source_kind() -%}
    case source
        {%- for source, settings in (var('sources') or {}).items() if 'kind' in settings %}
            when {{ sql_literal(source) }} then {{ sql_literal(settings['kind']) }}
        {%- endfor %}
            when null then null
    end::varchar
{%- endmacro %}
