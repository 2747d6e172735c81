{# The zone that the archive was begun with. #}
{% macro house_tz() -%}
    (select max(tz) from {{ source('batch', 'house') }})
{%- endmacro %}

{# The house's wall time of an instant, both without zone as in the raw table. #}
{% macro local_time(at_utc) -%}
    (({{ at_utc }} at time zone 'UTC') at time zone {{ house_tz() }})
{%- endmacro %}

{# Midnight that begins a local day, UTC without zone; the later one where the clocks go back to it. #}
{% macro midnight(date) -%}
    ((({{ date }})::timestamp at time zone {{ house_tz() }}) at time zone 'UTC')
{%- endmacro %}

{# First instant of a local day, UTC without zone: where the clocks go back to midnight, the one by the distance from UTC of three hours before. #}
{% macro first_midnight(date) -%}
    {%- set evening = '(' ~ midnight(date) ~ ' - interval 3 hours)' -%}
    {%- set by_evening = '((' ~ date ~ ')::timestamp - (' ~ local_time(evening) ~ ' - ' ~ evening ~ '))' -%}
    if({{ local_time(by_evening) }} = {{ date }}, {{ by_evening }}, {{ midnight(date) }})
{%- endmacro %}
