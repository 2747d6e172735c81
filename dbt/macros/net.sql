{# What was bought less what was sold. NULL where neither is known, or a counter is missing. #}
{% macro net(imported, exported, date) -%}
    if(
        coalesce({{ imported }}, {{ exported }}) is null
        or {{ lacks_counter(imported, exported, date) }},
        null,
        coalesce({{ imported }}, 0) - coalesce({{ exported }}, 0)
    )
{%- endmacro %}

{#
    Whether a counter is missing that the source had before. One that it never had counts as none.
    Reads import_begin_jst and export_begin_jst of int_counter_begins.
#}
{% macro lacks_counter(imported, exported, date) -%}
    coalesce(
        ({{ imported }} is null and {{ date }} > max(import_begin_jst))
        or ({{ exported }} is null and {{ date }} > max(export_begin_jst)),
        false
    )
{%- endmacro %}
