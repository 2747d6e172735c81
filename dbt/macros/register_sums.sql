{# Energy of meters that have several registers, or whose energy is computed from power. #}

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
