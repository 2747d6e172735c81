{# What was bought less what was sold; what is not measured counts as none. NULL where neither is. #}
{% macro net(total) -%}
    if(
        {{ total }} is null, null,
        coalesce({{ total }} filter (counter = 'import'), 0) - coalesce({{ total }} filter (counter = 'export'), 0)
    )
{%- endmacro %}
