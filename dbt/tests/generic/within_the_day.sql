{% test within_the_day(model, column_name) %}
select * from {{ model }} where cast({{ column_name }} as date) <> date_jst
{% endtest %}
