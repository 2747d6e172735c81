{# What the meters that config.yaml declares are made of, as the var `registers` has it. #}

{# SQL literals, with commas between them. #}
{% macro literals(values) -%}
    {%- for value in values -%} {{ sql_literal(value) }}{{ ', ' if not loop.last }} {%- endfor -%}
{%- endmacro %}

{# A name of a table or column as SQL. #}
{% macro sql_name(name) -%}
    "{{ name | replace('"', '""') }}"
{%- endmacro %}

{# Whether the tables are of anything but the sources of raw_meter_readings. #}
{% macro has_declared_meters() -%}
    {{ return(var('registers') or var('datasets') != ['raw_meter_readings']) }}
{%- endmacro %}

{# The names of the meters that are declared with series of their own. #}
{% macro declared_sources() -%}
    {{ return(var('registers') | map(attribute='source') | unique | list) }}
{%- endmacro %}

{# Of them those whose energy is computed from power. #}
{% macro power_sources() -%}
    {%- set found = var('registers') | selectattr('role', 'equalto', 'power') -%}
    {{ return(found | selectattr('counter') | map(attribute='source') | unique | list) }}
{%- endmacro %}

{# Whether the row's source is one of them. #}
{% macro counts_power() -%}
    {%- set sources = power_sources() -%}
    {%- if sources -%} source in ({{ literals(sources) }}) {%- else -%} false {%- endif -%}
{%- endmacro %}

{# Those whose energy is a sum of registers, or is computed from power: it has unknown hours. #}
{% macro summed_sources() -%}
    {%- set summed = power_sources() -%}
    {%- for declared in var('registers') -%}
        {%- if declared.counter and declared.register == 2 -%}
            {%- do summed.append(declared.source) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(summed | unique | list) }}
{%- endmacro %}

{# Whether the row's source is one of them. #}
{% macro is_summed() -%}
    {%- set summed = summed_sources() -%}
    {%- if summed -%} source in ({{ literals(summed) }}) {%- else -%} false {%- endif -%}
{%- endmacro %}

{# Those whose power comes in several series, such as phases, each with how many there are. #}
{% macro phases() -%}
    {%- set phases = {} -%}
    {%- for declared in var('registers') -%}
        {%- if declared.role == 'power' and declared.register > 1 -%}
            {%- do phases.update({declared.source: declared.register}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(phases) }}
{%- endmacro %}

{# The registers that count a meter's energy. A source of the shipped dataset has that alone. #}
{% macro registers_of(source) -%}
    {%- set own = var('registers') | selectattr('source', 'equalto', source) -%}
    {%- set counting = own | selectattr('counter') | list -%}
    {{ return(counting or [{'dataset': 'raw_meter_readings'}]) }}
{%- endmacro %}

{# Last day of the row's source, if it was taken out. #}
{% macro until(source='source') -%}
    (
        case {{ source }}
            {%- for name, settings in (var('sources') or {}).items() if settings['until'] %}
                when {{ sql_literal(name) }} then {{ sql_literal(settings['until']) }}
            {%- endfor %}
                when null then null
        end::date
    )
{%- endmacro %}

{# Whether the row is of this register. #}
{% macro is_register(declared) -%}
    (
        source = {{ sql_literal(declared.source) }}
        {%- if declared.role != 'power' %} and counter = {{ sql_literal(declared.counter) }}
        {%- endif %}
        and register = {{ declared.register }}
    )
{%- endmacro %}

{# What the values of the row's register were multiplied by: the constant of a meter. #}
{% macro scale() -%}
    case
        {%- for declared in var('registers') if declared.role != 'power' %}
            {%- if declared.counter and declared.factor != 1 %}
                when {{ is_register(declared) }} then {{ declared.factor }}
            {%- endif %}
        {%- endfor %}
            when true then 1
    end::double
{%- endmacro %}

{#
    How many registers are a sum of the row's source and counter: those that are declared for it.
    Each power series is both counters, as is a register that counts both ways.
#}
{% macro registers_needed() -%}
    {%- set cases = [] -%}
    {%- for source in summed_sources() -%}
        {%- set own = registers_of(source) -%}
        {%- for counter in ['import', 'export'] -%}
            {%- set declared = own | selectattr('role', 'equalto', counter) | list -%}
            {%- set of_meter = 'source = ' ~ sql_literal(source) -%}
            {%- set of_counter = of_meter ~ ' and counter = ' ~ sql_literal(counter) -%}
            {%- do cases.append(of_counter ~ ' then ' ~ (declared or own) | length) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if cases -%} case when {{ cases | join(' when ') }} end {%- else -%} 1 {%- endif -%}
{%- endmacro %}

{# The end of a query of days: a declared meter that died has days as long as others go on. #}
{% macro days_of_declared_meters() -%}
    {%- if declared_sources() -%}
        union
        select
            power.date_jst,
            begins.source
        from {{ ref('int_daily_power') }} as power
        inner join {{ ref('int_register_begins') }} as begins
            on power.date_jst > begins.begin_jst
        where
            begins.source in ({{ literals(declared_sources()) }})
            and coalesce(power.date_jst <= {{ until('begins.source') }}, true)
    {%- endif -%}
{%- endmacro %}

{# Before a model of an older program goes on: its counters had one register each. #}
{% macro add_register() -%}
    {%- if is_incremental() -%}
        alter table {{ this }} add column if not exists register smallint default 1
    {%- endif -%}
{%- endmacro %}
