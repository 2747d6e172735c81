{# Whether a line of the tariffs holds at a local time: by date (both days included), day of the week and time of day; from 22:00 to 06:00 is the night. #}
{% macro is_valid_at(at_jst) -%}
    {%- set time = "strftime(" ~ at_jst ~ ", '%H:%M')" -%}
    (
        {{ at_jst }}::date >= tariffs.valid_from
        and ({{ at_jst }}::date <= tariffs.valid_to or tariffs.valid_to is null)
        and contains(tariffs.weekdays, isodow({{ at_jst }})::varchar)
        and case
            when tariffs.from_time < tariffs.to_time then {{ time }} >= tariffs.from_time and {{ time }} < tariffs.to_time
            else {{ time }} >= tariffs.from_time or {{ time }} < tariffs.to_time
        end
    )
{%- endmacro %}
