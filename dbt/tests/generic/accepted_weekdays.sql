{# Days of the week as digits from 1 to 7 and nothing else: `1-5` would be Monday and Friday, none would be no day. #}
{% test accepted_weekdays(model, column_name) %}
select * from {{ model }} where not coalesce(regexp_full_match({{ column_name }}, '[1-7]+'), false)
{% endtest %}
