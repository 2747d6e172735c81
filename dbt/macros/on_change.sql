{# Registers that are written when their value changes. #}

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
