{#
    Ends a Python model in place of dbt-duckdb's macro of this name, which imports pyarrow for every
    model: 30 MB of a night's memory. A model of this project gives DuckDB's own relation.
#}
{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) -%}
{{ compiled_code }}


def materialize(relation, session):
    session.register("rows_of_the_model", relation)
    table = {{ tojson(relation | string) }}
    session.execute("create table " + table + " as from rows_of_the_model")
    session.unregister("rows_of_the_model")
{%- endmacro %}
