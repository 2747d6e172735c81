{# The zone that the archive was begun with. #}
{% macro house_tz() -%}
    (select max(tz) from {{ source('batch', 'house') }})
{%- endmacro %}

{# The house's wall time of an instant, both without zone as in the raw table. #}
{% macro local_time(at_utc) -%}
    (({{ at_utc }} at time zone 'UTC') at time zone {{ house_tz() }})
{%- endmacro %}

{# First instant of a local day, UTC without zone. #}
{% macro midnight(date) -%}
    ((({{ date }})::timestamp at time zone {{ house_tz() }}) at time zone 'UTC')
{%- endmacro %}
