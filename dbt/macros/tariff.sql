{#
    Whether a row of the tariffs holds at a local time: by date (both days included), day of the
    week and time of day. From 22:00 to 06:00 is the night.
#}
{% macro is_valid_at(at_jst, tariff) -%}
    {%- set time = "strftime(" ~ at_jst ~ ", '%H:%M')" -%}
    (
        {{ at_jst }}::date >= {{ tariff }}.valid_from
        and ({{ at_jst }}::date <= {{ tariff }}.valid_to or {{ tariff }}.valid_to is null)
        and contains({{ tariff }}.weekdays, isodow({{ at_jst }})::varchar)
        and case
            when {{ tariff }}.from_time < {{ tariff }}.to_time
                then {{ time }} >= {{ tariff }}.from_time and {{ time }} < {{ tariff }}.to_time
            else {{ time }} >= {{ tariff }}.from_time or {{ time }} < {{ tariff }}.to_time
        end
    )
{%- endmacro %}
