{#
    What a build has to make anew. `built_loads` keeps, for each incremental model, from which version of each day it was made, written in the same
    transaction as the model's rows: so whatever was loaded again, came, or went since then is found, also if dbt was killed between two models.
    A day's version is its load for the models that read the raw table. For those that read what the counters
    were judged to be it is the build that last judged something of the day, kept in `rebuilt_days`.

    An incremental model finds its days before it is built, in the temporary table `changed_days`, and records them after it.
#}

{# Relation of the versions that the incremental models were made from. #}
{% macro built_loads() -%}
    {{ return(api.Relation.create(database=target.database, schema=target.schema, identifier='built_loads')) }}
{%- endmacro %}

{# Relation of the builds that last judged something of the local days. #}
{% macro rebuilt_days() -%}
    {{ return(api.Relation.create(database=target.database, schema=target.schema, identifier='rebuilt_days')) }}
{%- endmacro %}

{% macro create_built_loads() %}
    create table if not exists {{ built_loads() }} (model varchar, dt date, load_id varchar);
    create table if not exists {{ rebuilt_days() }} (dt date, load_id varchar)
{% endmacro %}

{# The loads that are in the raw table now. Other settings, or other rules (count up `rules`), make every load another one. #}
{% macro present_loads() %}
    {%- set names = [
        'max_power_kw', 'counter_noise_kwh', 'counter_wrap_kwh', 'glitch_readings', 'max_gap_s', 'direction',
        'export_direction', 'unit', 'sources'
    ] -%}
    {%- set settings = {'rules': 5} -%}
    {%- for name in names -%} {%- do settings.update({name: var(name)}) -%} {%- endfor -%}
    select
        dt,
        load_id || '-{{ local_md5(tojson(settings, sort_keys=true)) }}' as load_id
    from {{ source('batch', 'loads') }}
    where dataset = 'raw_meter_readings'
{% endmacro %}

{# The days of which counters were judged, as the builds left them. #}
{% macro present_judged() %}
    select
        dt,
        load_id
    from {{ rebuilt_days() }}
{% endmacro %}

{# The same for what also depends on when the counters first spoke: other days of it make every day another one. #}
{% macro present_quarters_and_begins() %}
    select
        dt,
        load_id || '-' || coalesce((select md5(string_agg(line::varchar, ' ' order by line::varchar)) from {{ ref('int_counter_begins') }} as line), '')
            as load_id
    from ({{ present_judged() }})
{% endmacro %}

{# The same for what depends on the tariffs too. #}
{% macro present_priced_quarters() %}
    select
        dt,
        load_id || '-' || coalesce((select md5(string_agg(line::varchar, ' ' order by line::varchar)) from {{ ref('tariffs') }} as line), '') as load_id
    from ({{ present_quarters_and_begins() }})
{% endmacro %}

{# To be run before a model: the days that came, went, or have another version (load_id, NULL if the day went) than the model was built from. #}
{% macro find_changed_days(present) %}
    create or replace temp table changed_days as
    select
        dt,
        present.load_id
    from ({{ present }}) as present
    full outer join (select dt, load_id from {{ built_loads() }} where model = '{{ this.identifier }}') as built using (dt)
    where present.load_id is distinct from built.load_id
{% endmacro %}

{# Whether a quarter of an hour lies in a changed day. Local time is less than a day from UTC: that lets the scan skip other days. #}
{% macro is_of_changed_day() -%}
    quarter_jst::date in (select dt from changed_days)
    and quarter_utc >= (select min(dt) - interval 1 day from changed_days) and quarter_utc < (select max(dt) + interval 2 days from changed_days)
{%- endmacro %}

{# To be run after a model, in its transaction. #}
{% macro record_changed_days() %}
    delete from {{ built_loads() }} where model = '{{ this.identifier }}' and dt in (select dt from changed_days);
    insert into {{ built_loads() }} select '{{ this.identifier }}', dt, load_id from changed_days where load_id is not null
{% endmacro %}

{# First instant of the days that were loaded since int_counter_judged was built, UTC; NULL if none was. #}
{% macro loaded_since() %}
    select {{ midnight('min(dt)') }} - interval 2 hours
    from ({{ present_loads() }}) as present
    where not exists (
        select 1
        from {{ built_loads() }} as built
        where built.model = 'int_counter_judged' and built.dt = present.dt and built.load_id = present.load_id
    )
{% endmacro %}

{# Runs of changed days as ranges of UTC, two hours wider than the days: where a day begins twice, zone rules may take either. #}
{% macro changed_ranges() %}
    select
        {{ midnight('min(dt)') }} - interval 2 hours as from_utc,
        {{ midnight('max(dt) + 1') }} + interval 2 hours as to_utc
    from (
        select
            dt,
            dt - (row_number() over (order by dt))::int as run
        from changed_days
    )
    group by run
{% endmacro %}

{# To be run after int_counter_judged, in its transaction: the days that it touched have another version. #}
{% macro record_rebuilt_days() %}
    create or replace temp table touched_days as
    select distinct {{ local_time('at_utc') }}::date as dt
    from {{ 'touched_quarters' if is_incremental() else this }}
    where row_kind = 'quarter';
    delete from {{ rebuilt_days() }} {% if is_incremental() %} where dt in (select dt from touched_days) {% endif %};
    insert into {{ rebuilt_days() }} select dt, '{{ invocation_id }}' from touched_days
{% endmacro %}

{# Puts rows of int_counter_judged in place of those in the spans that were judged again. #}
{% macro get_incremental_replace_judged_sql(arguments) %}
    {%- set is_replaced -%}
        exists (
            select 1 from rejudged
            where
                rejudged.source = judged.source and rejudged.counter = judged.counter
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
    select row_kind, at_utc from {{ arguments.target_relation }} as judged where {{ is_replaced }}
    union all
    select row_kind, at_utc from {{ arguments.temp_relation }};
    delete from {{ arguments.target_relation }} as judged where {{ is_replaced }};
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}

{# Puts the quarters of the changed days in place of those that they had. #}
{% macro get_incremental_replace_quarters_sql(arguments) %}
    delete from {{ arguments.target_relation }} where {{ is_of_changed_day() }};
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}

{# Puts the rebuilt days in place of all that changed. #}
{% macro get_incremental_replace_days_sql(arguments) %}
    delete from {{ arguments.target_relation }} where date_jst in (select dt from changed_days);
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}
