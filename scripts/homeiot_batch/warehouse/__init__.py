"""DuckDB and dbt: loads, tables, tariffs, and the copy that readers open."""
