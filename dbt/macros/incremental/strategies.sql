{# How new rows take the place of old ones: the incremental strategies of this project. #}

{# Rows of int_counter_judged take the place of those in the spans that were judged again. #}
{% macro get_incremental_replace_judged_sql(arguments) %}
    {%- set is_replaced -%}
        exists (
            select 1 from rejudged
            where
                rejudged.source = judged.source and rejudged.counter = judged.counter
                and rejudged.register = judged.register
                and if(
                    judged.is_open, rejudged.replaces_open,
                    judged.judged_utc between rejudged.first_utc and rejudged.last_utc
                )
        )
        -- a constant lets the scan skip the other days
        and judged_utc >= getvariable('first_rejudged')
    {%- endset -%}
    set variable first_rejudged = (select min(first_utc) from rejudged);
    create or replace temp table touched_quarters as
    select
        row_kind,
        at_utc
    from {{ arguments.target_relation }} as judged
    where {{ is_replaced }}
    union all
    select
        row_kind,
        at_utc
    from {{ arguments.temp_relation }};
    delete from {{ arguments.target_relation }} as judged where {{ is_replaced }};
    insert into {{ arguments.target_relation }} by name
    select * from {{ arguments.temp_relation }};
    -- the rows of a Python model come in a table that dbt leaves in the database
    drop table {{ arguments.temp_relation }}
{% endmacro %}

{# Quarters of the changed days take the place of those that the days had. #}
{% macro get_incremental_replace_quarters_sql(arguments) %}
    delete from {{ arguments.target_relation }} where {{ is_of_changed_day() }};
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}

{# Days that were made anew take the place of all that changed, also of those that went. #}
{% macro get_incremental_replace_days_sql(arguments) %}
    delete from {{ arguments.target_relation }}
    where date_jst in (select dt from changed_days);
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}

{# Drop the tables of new rows that earlier or killed builds left in the database, no others. #}
{% macro drop_left_tables() %}
    {%- set left -%}
        select table_name
        from duckdb_tables()
        where
            database_name = '{{ target.database }}'
            and schema_name = '{{ target.schema }}'
            and regexp_full_match(table_name, 'int_counter_judged__dbt_tmp[0-9]+')
    {%- endset -%}
    {%- if execute -%}
        {%- for name in run_query(left).columns[0].values() %}
            drop table {{ adapter.quote(name) }};
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
