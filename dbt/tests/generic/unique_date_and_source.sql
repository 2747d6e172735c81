{% test unique_date_and_source(model) %}
select
    date_jst,
    source
from {{ model }}
group by date_jst, source
having count(*) > 1
{% endtest %}
