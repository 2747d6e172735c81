{# No two rows share the columns of the grain, and none of these is NULL. #}
{% test unique_row(model, grain) %}
select {{ grain | join(', ') }}
from {{ model }}
group by all
having count(*) > 1 {% for column in grain %} or {{ column }} is null {% endfor %}
{% endtest %}
