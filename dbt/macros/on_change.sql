{# Registers that are written when their value changes. #}

{# Whether the row's register is written when its value changes. #}
{% macro is_on_change() -%}
    (
        {{ source_text('reports') }} is not distinct from 'on_change'
        {%- for declared in var('registers') if declared.reports == 'on_change' %}
            or {{ is_register(declared) }}
        {%- endfor %}
    )
{%- endmacro %}

{# How the registers of the row's source are written, `both` where some are and others are not. #}
{% macro reports_of_source() -%}
    case
        {%- for source in declared_sources() %}
            {%- set own = registers_of(source) | map(attribute='reports', default='interval') %}
            {%- set found = own | unique | list %}
            when source = {{ sql_literal(source) }}
                then {{ sql_literal(found[0] if found | length == 1 else 'both') }}
        {%- endfor %}
            when true then coalesce({{ source_text('reports') }}, 'interval')
    end
{%- endmacro %}

{#
    Time of the last reading of the dataset that the row's register is in, UTC, or the end of the
    meter's last day.
#}
{% macro writer_utc() -%}
    least({{ midnight(until() ~ ' + 1') }}, {{ writer_of_register_utc() }})
{%- endmacro %}

{# Time of the last reading of the dataset that the row's register is in, UTC. #}
{% macro writer_of_register_utc() -%}
    case
        {%- for dataset in ['raw_meter_readings'] if dataset in var('datasets') %}
            when {{ source_text('reports') }} = 'on_change' then {{ last_reading_utc(dataset) }}
        {%- endfor %}
        {%- set on_change = var('registers') | selectattr('reports', 'equalto', 'on_change') %}
        {%- for dataset, registers in by_dataset(on_change) %}
            when {{ is_one_of(registers) }} then {{ last_reading_utc(dataset) }}
        {%- endfor %}
            when false then null
    end::timestamp
{%- endmacro %}

{#
    Registers grouped by dataset, so that a query needs one subquery for each dataset. With one for
    each of 500 registers it took 28 s. Power comes last: its condition holds for all rows of a
    source.
#}
{% macro by_dataset(registers) -%}
    {%- set all = registers | list -%}
    {%- set counting = all | rejectattr('role', 'equalto', 'power') | groupby('dataset') -%}
    {%- set of_power = all | selectattr('role', 'equalto', 'power') | groupby('dataset') -%}
    {{ return(counting + of_power) }}
{%- endmacro %}

{# Whether the row is of one of these registers. #}
{% macro is_one_of(registers) -%}
    {%- for declared in registers -%}
        {{ is_register(declared) }} {{- ' or ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Time of the last reading of a dataset, UTC. #}
{% macro last_reading_utc(dataset) -%}
    (select max(ts_utc) from {{ sql_name(dataset) }})
{%- endmacro %}

{# Whether the row's source is declared as a meter. #}
{% macro is_declared() -%}
    ({%- if declared_sources() -%} source in ({{ literals(declared_sources()) }}) or {% endif -%}
    {{ source_text('reports') }} is not null)
{%- endmacro %}

{# End of the last day that is loaded of the dataset that the row's register is in, UTC. #}
{% macro loaded_to_utc() -%}
    case
        {%- for dataset, registers in by_dataset(var('registers') | selectattr('counter')) %}
            when {{ is_one_of(registers) }} then {{ end_of_last_load_utc(dataset) }}
        {%- endfor %}
            when true then {{ end_of_last_load_utc('raw_meter_readings') }}
    end
{%- endmacro %}

{# End of the last day that is loaded of a dataset, UTC. #}
{% macro end_of_last_load_utc(dataset) -%}
    (
        select {{ midnight('max(dt) + 1') }}
        from {{ source('batch', 'loads') }}
        where dataset = {{ sql_literal(dataset) }}
    )
{%- endmacro %}

{# The dataset of the power that the row's source counts, if that is written on a change. #}
{% macro writer() -%}
    case
        {%- for declared in var('registers') if declared.reports == 'on_change' %}
            {%- if declared.role == 'power' %}
                when {{ is_register(declared) }} then {{ sql_literal(declared.dataset) }}
            {%- endif %}
        {%- endfor %}
            when false then null
    end::varchar
{%- endmacro %}
