{% test finite(model, column_name) %}
select * from {{ model }} where {{ column_name }} is not null and not isfinite({{ column_name }})
{% endtest %}
