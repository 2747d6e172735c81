{# The readings of the declared meters in the form of stg_meter_readings. #}

{# The value of a declared series, in kWh or W. #}
{% macro declared_value(declared) -%}
    {{ sql_name(declared.field) }}::double
    {%- if declared.times != 1 %} * {{ declared.times }} {%- endif %}
    {%- if declared.over != 1 %} / {{ declared.over }} {%- endif %}
{%- endmacro %}

{# The readings of a declared series, with the columns of stg_meter_readings. #}
{% macro declared_readings(declared) %}
    {%- set value = declared_value(declared) %}
    select
        ts_utc,
        ts_jst,
        cast(ts_jst as date) as date_jst,
        {{ sql_literal(declared.source) }} as source,
        {{ declared.register }}::smallint as register,
        {% if declared.role == 'power' -%} {{ value }} {%- else -%} null::double {%- endif %}
            as instant_power_w,
        {% if declared.role == 'import' -%} {{ value }} {%- else -%} null::double {%- endif %}
            as energy_import_kwh,
        {% if declared.role == 'export' -%} {{ value }} {%- else -%} null::double {%- endif %}
            as energy_export_kwh,
        ingested_at
    from {{ api.Relation.create(
        database=target.database, schema=target.schema, identifier=declared.dataset
    ) }}
    where
        {{ sql_name(declared.field) }} is not null
        {%- for tag, value in declared.where.items() %}
            and {{ sql_name(tag) }} = {{ sql_literal(value) }}
        {%- endfor %}
        {%- set settings = (var('sources') or {}).get(declared.source, {}) %}
        {%- if settings['until'] %}
            and ts_jst < date {{ sql_literal(settings['until']) }} + 1
        {%- endif %}
{%- endmacro %}

{# The readings of all meters, declared or not. #}
{% macro readings_of_all_meters() %}
    {%- set has_shipped = 'raw_meter_readings' in var('datasets') -%}
    {%- if has_shipped %}
    select
        ts_utc,
        ts_jst,
        cast(ts_jst as date) as date_jst,
        source,
        cast(1 as smallint) as register,
        instant_power_w,
        energy_import_kwh,
        energy_export_kwh,
        ingested_at
    from {{ source('archive', 'raw_meter_readings') }}
    {%- endif %}
    {%- for declared in var('registers') %}
    {{ 'union all' if has_shipped or not loop.first }}
    {{ declared_readings(declared) }}
    {%- endfor %}
{%- endmacro %}

{#
    The readings, of which those of single phases have no power. For each time that all phases have,
    there is a row more with their sum.
#}
{% macro with_sums_of_phases(readings) %}
    {%- set phases = phases() -%}
    {%- if not phases %}
    select
        *,
        false as is_sum
    from {{ readings }}
    {%- else %}
    select
        * replace (
            if(source in ({{ literals(phases) }}), null, instant_power_w) as instant_power_w
        ),
        false as is_sum
    from {{ readings }}
    union all by name
    select
        date_jst,
        source,
        ts_utc,
        ts_jst,
        sum(instant_power_w) as instant_power_w,
        true as is_sum
    from {{ readings }}
    where instant_power_w is not null and source in ({{ literals(phases) }})
    group by date_jst, source, ts_utc, ts_jst
    having
        count(*) = case source
            {%- for source, count in phases.items() %}
                when {{ sql_literal(source) }} then {{ count }}
            {%- endfor %}
        end
    {%- endif %}
{%- endmacro %}
