{# The value where it is a reading: not NULL, and not the 0.0 that stands for a missing one, unless the source never has another value. #}
{% macro reading(column) -%}
    case
        when {{ column }} <> 0 or max(abs({{ column }})) over (partition by source) = 0 then {{ column }}
    end
{%- endmacro %}
