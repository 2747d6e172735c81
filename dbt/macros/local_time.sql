{# The zone that the archive was begun with. #}
{% macro house_tz() -%}
    (select max(tz) from {{ source('batch', 'house') }})
{%- endmacro %}

{# The house's wall time of an instant, both without zone as in the raw table. #}
{% macro local_time(at_utc) -%}
    (({{ at_utc }} at time zone 'UTC') at time zone {{ house_tz() }})
{%- endmacro %}

{# Midnight that begins a local day, UTC without zone. The later one where there are two. #}
{% macro midnight(date) -%}
    ((({{ date }})::timestamp at time zone {{ house_tz() }}) at time zone 'UTC')
{%- endmacro %}

{#
    First instant of a local day, UTC without zone. Where there are two midnights, it is the one
    by the offset of three hours before.
#}
{% macro first_midnight(date) -%}
    {%- set evening = '(' ~ midnight(date) ~ ' - interval 3 hours)' -%}
    {%- set offset = '(' ~ local_time(evening) ~ ' - ' ~ evening ~ ')' -%}
    {%- set by_evening = '((' ~ date ~ ')::timestamp - ' ~ offset ~ ')' -%}
    if({{ local_time(by_evening) }} = {{ date }}, {{ by_evening }}, {{ midnight(date) }})
{%- endmacro %}

{# How many quarters a clock hour has, of the part that has this offset. 4 but at odd changes. #}
{% macro quarters_of_hour(clock_hour, utc_offset) -%}
    (
        {%- for minutes in [0, 15, 30, 45] %}
            {%- set at_jst = '(' ~ clock_hour ~ ' + interval ' ~ minutes ~ ' minutes)' %}
            {%- set at_utc = '(' ~ at_jst ~ ' - ' ~ utc_offset ~ ')' %}
            ({{ local_time(at_utc) }} = {{ at_jst }})::int {{ '+' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#
    Begin of a clock hour, UTC without zone, of the part that has this offset. Where the clocks
    change inside an hour, that is one of its quarters (Lord Howe: 01:30, Chatham: 02:45).
#}
{% macro begin_of_hour(clock_hour, utc_offset) -%}
    case
        {%- for minutes in [0, 15, 30, 45] %}
        {%- set at_jst = '(' ~ clock_hour ~ ' + interval ' ~ minutes ~ ' minutes)' %}
        {%- set at_utc = '(' ~ at_jst ~ ' - ' ~ utc_offset ~ ')' %}
        when {{ local_time(at_utc) }} = {{ at_jst }} then {{ at_utc }}
        {%- endfor %}
    end
{%- endmacro %}
