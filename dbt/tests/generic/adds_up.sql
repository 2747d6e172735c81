{# The rows of a finer table add up to this one's, by date and source, to a millionth of a kWh. #}
{% test adds_up(model, parts, by) %}
select *
from (select {{ by }} as period, source, sum(import_kwh) as imported, sum(export_kwh) as exported from {{ parts }} group by all) as parts
full outer join (select {{ by }} as period, source, sum(import_kwh) as imported, sum(export_kwh) as exported from {{ model }} group by all) as whole
    using (period, source)
where
    abs(coalesce(parts.imported, 0) - coalesce(whole.imported, 0)) > 1e-6
    or abs(coalesce(parts.exported, 0) - coalesce(whole.exported, 0)) > 1e-6
{% endtest %}
