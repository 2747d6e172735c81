{# The rows of a finer table add up to this one's, by date and source, to a millionth of a kWh. #}
{% test adds_up(model, parts, by) %}
{%- set sums = 'sum(import_kwh) as imported, sum(export_kwh) as exported' %}
with parts as (
    select {{ by }} as period, source, {{ sums }} from {{ parts }} group by all
),

whole as (
    select {{ by }} as period, source, {{ sums }} from {{ model }} group by all
)

select *
from parts
full outer join whole using (period, source)
where
    abs(coalesce(parts.imported, 0) - coalesce(whole.imported, 0)) > 1e-6
    or abs(coalesce(parts.exported, 0) - coalesce(whole.exported, 0)) > 1e-6
{% endtest %}
