{# A number, if there is any: not infinite and not NaN. #}
{% test finite(model, column_name) %}
select * from {{ model }} where not isfinite({{ column_name }})
{% endtest %}
