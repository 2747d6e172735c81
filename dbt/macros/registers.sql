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

{# Before a model of an older program goes on: its counters had one register each. #}
{% macro add_register() -%}
    {%- if is_incremental() -%}
        alter table {{ this }} add column if not exists register smallint default 1
    {%- endif -%}
{%- endmacro %}

{#
    Energy of a counter in an hour. Where it is a sum of registers, it is NULL if a quarter of the
    hour is not known.
#}
{% macro hour_kwh(counter) -%}
    {%- set known = "filter (counter = '" ~ counter ~ "')" -%}
    if(
        {{ is_summed() }}
        and count(kwh) {{ known }} < {{ quarters_of_hour('clock_hour', 'utc_offset') }},
        null,
        sum(kwh) {{ known }}
    )
{%- endmacro %}

{# Energy of a counter in a day. Where it is a sum of registers, it is that of the known hours. #}
{% macro day_kwh(counter) -%}
    if(
        {{ is_summed() }},
        any_value(hours_{{ counter }}_kwh),
        sum(kwh) filter (counter = '{{ counter }}')
    )
{%- endmacro %}

{# Whether the registers of the row's source are written when their value changes. #}
{% macro is_on_change() -%}
    ({{ source_text('reports') }} is not distinct from 'on_change')
{%- endmacro %}

{# Time of the last reading of the dataset that the row's register is in, UTC. #}
{% macro writer_utc() -%}
    case
        {%- for source, settings in (var('sources') or {}).items() %}
            {%- if settings['reports'] == 'on_change' %}
                {%- for declared in registers_of(source) %}
                    when
                        source = {{ sql_literal(source) }}
                        {%- if declared.counter %}
                            and counter = {{ sql_literal(declared.counter) }}
                            and register = {{ declared.register }}
                        {%- endif %}
                        then (select max(ts_utc) from {{ sql_name(declared.dataset) }})
                {%- endfor %}
            {%- endif %}
        {%- endfor %}
            when false then null
    end::timestamp
{%- endmacro %}

{# The registers that count a meter's energy. A source of the shipped dataset has that alone. #}
{% macro registers_of(source) -%}
    {%- set own = var('registers') | selectattr('source', 'equalto', source) -%}
    {%- set counting = own | selectattr('counter') | list -%}
    {{ return(counting or [{'dataset': 'raw_meter_readings'}]) }}
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
