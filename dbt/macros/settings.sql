{# A setting of the row's source: its own in the var `sources`, or else the project's var of that name; NULL where neither is set. #}
{% macro setting(name) -%}
    {%- set own = [] -%}
    {%- for source, settings in (var('sources') or {}).items() if name in settings -%}
        {%- do own.append("when '" ~ source | replace("'", "''") ~ "' then " ~ settings[name]) -%}
    {%- endfor -%}
    {%- set common = var(name) if var(name) is not none else 'null::double' -%}
    {%- if own -%} case source {{ own | join(' ') }} else {{ common }} end {%- else -%} {{ common }} {%- endif -%}
{%- endmacro %}

{# The largest value of a setting over all sources. #}
{% macro largest(name) -%}
    {%- set values = [var(name)] -%}
    {%- for settings in (var('sources') or {}).values() if name in settings -%}
        {%- do values.append(settings[name]) -%}
    {%- endfor -%}
    {{ return(values | max) }}
{%- endmacro %}

{# What a source measures, as the var `sources` says. #}
{% macro source_kind() -%}
    case source
        {%- for source, settings in (var('sources') or {}).items() if 'kind' in settings %}
            when '{{ source | replace("'", "''") }}' then '{{ settings['kind'] | replace("'", "''") }}'
        {%- endfor %}
            when null then null
    end::varchar
{%- endmacro %}
