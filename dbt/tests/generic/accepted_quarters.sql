{# A time of day as HH:MM on a quarter of an hour, to 24:00: energy is priced by the quarter. #}
{% test accepted_quarters(model, column_name) %}
select * from {{ model }} where not coalesce(regexp_full_match({{ column_name }}, '([01]\d|2[0-3]):(00|15|30|45)|24:00'), false)
{% endtest %}
