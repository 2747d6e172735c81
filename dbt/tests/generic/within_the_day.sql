{# The local times lie in the row's day. #}
{% test within_the_day(model, columns) %}
select * from {{ model }}
where
    {% for column in columns -%}
        {{ column }}::date <> date_jst {{ 'or' if not loop.last }}
    {% endfor %}
{% endtest %}
