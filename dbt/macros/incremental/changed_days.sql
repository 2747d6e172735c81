{#
    The days that a model has to make anew. A model finds them before it is built, in the temporary
    table `changed_days`, and records them after it, in the transaction of its rows. So a day that
    was loaded again, came or went is found, also if dbt was killed between two models.
#}

{# Before a model: the days whose version is not the one that it was built from. #}
{% macro find_changed_days(present) %}
    create or replace temp table changed_days as
    select
        dt,
        present.load_id
    from ({{ present }}) as present
    full outer join (
        select
            dt,
            load_id
        from {{ built_loads() }}
        where model = '{{ this.identifier }}'
    ) as built using (dt)
    where present.load_id is distinct from built.load_id
{% endmacro %}

{#
    Whether a quarter of an hour lies in a changed day. Local time is less than a day from UTC: that
    lets the scan skip other days.
#}
{% macro is_of_changed_day() -%}
    quarter_jst::date in (select dt from changed_days)
    and quarter_utc >= (select min(dt) - interval 1 day from changed_days)
    and quarter_utc < (select max(dt) + interval 2 days from changed_days)
{%- endmacro %}

{# After a model, in its transaction. #}
{% macro record_changed_days() %}
    delete from {{ built_loads() }}
    where model = '{{ this.identifier }}' and dt in (select dt from changed_days);
    insert into {{ built_loads() }}
    select
        '{{ this.identifier }}',
        dt,
        load_id
    from changed_days
    where load_id is not null
{% endmacro %}

{# After int_counter_judged, in its transaction: the days that it touched have another version. #}
{% macro record_rebuilt_days() %}
    create or replace temp table touched_days as
    select distinct {{ local_time('at_utc') }}::date as dt
    from {{ 'touched_quarters' if is_incremental() else this }}
    where row_kind = 'quarter';
    delete from {{ rebuilt_days() }}
    {% if is_incremental() %} where dt in (select dt from touched_days) {% endif %};
    insert into {{ rebuilt_days() }}
    select
        dt,
        '{{ invocation_id }}'
    from touched_days
{% endmacro %}
