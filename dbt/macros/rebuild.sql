{#
    What a build has to make anew. `built_loads` keeps, for each incremental model, from which version of each day it was made, written in the same
    transaction as the model's rows: so whatever was loaded again, came, or went since then is found, also if dbt was killed between two models.
    A day's version is its load for the models that read the raw table. For those that read int_counter_quarters it is the build that last wrote the
    day there, kept in `rebuilt_days`.

    An incremental model finds its days before it is built, in the temporary table `changed_days`, and records them after it.
#}

{# Relation of the versions that the incremental models were made from. #}
{% macro built_loads() -%}
    {{ return(api.Relation.create(database=target.database, schema=target.schema, identifier='built_loads')) }}
{%- endmacro %}

{# Relation of the builds that last wrote the local days of int_counter_quarters. #}
{% macro rebuilt_days() -%}
    {{ return(api.Relation.create(database=target.database, schema=target.schema, identifier='rebuilt_days')) }}
{%- endmacro %}

{% macro create_built_loads() %}
    create table if not exists {{ built_loads() }} (model varchar, dt date, load_id varchar);
    create table if not exists {{ rebuilt_days() }} (dt date, load_id varchar)
{% endmacro %}

{# The loads that are in the raw table now. Other settings, or other rules (count up `rules`), make every load another one. #}
{% macro present_loads() %}
    {%- set names = ['max_power_kw', 'counter_noise_kwh', 'counter_wrap_kwh', 'glitch_readings', 'max_gap_s', 'sources'] -%}
    {%- set settings = {'rules': 3} -%}
    {%- for name in names -%} {%- do settings.update({name: var(name)}) -%} {%- endfor -%}
    select
        dt,
        load_id || '-{{ local_md5(tojson(settings, sort_keys=true)) }}' as load_id
    from {{ source('batch', 'loads') }}
    where dataset = 'raw_meter_readings'
{% endmacro %}

{# The days of int_counter_quarters, as the builds left them. #}
{% macro present_quarters() %}
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
    from ({{ present_quarters() }})
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

{# First instant of the days that were loaded since int_counter_quarters was built, UTC; NULL if none was. #}
{% macro loaded_since() %}
    select {{ midnight('min(dt)') }} - interval 2 hours
    from ({{ present_loads() }}) as present
    where not exists (
        select 1
        from {{ built_loads() }} as built
        where built.model = 'int_counter_quarters' and built.dt = present.dt and built.load_id = present.load_id
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

{#
    The sequences of counter_steps() that must be judged again: per source and counter with values in a range of changed days, now or before, from the last
    anchor before it to the first one after it. An anchor is a reading that is on the path whatever happens around it: it and its support (the readings
    next to it that show so) lie outside of all changed days. All of the anchor's quarter of an hour is written, so reading begins with the support of an
    anchor before that. Of a counter that never showed anything but 0.0, every quarter with readings is an anchor. Anchors are looked for within a year;
    where there is none, the stretch goes to the archive's begin or end.
#}
{% macro stretches_to_rebuild() %}
    {%- set is_near -%}
        quarter_utc >= (select min(from_utc) - interval 1 year from ranges) and quarter_utc < (select max(to_utc) + interval 1 year from ranges)
    {%- endset %}
    with ranges as materialized ({{ changed_ranges() }}),

    changed as (

        select
            source,
            counter,
            from_utc,
            to_utc,
            sum(above_zero) as above_zero,
            sum(zeros) as zeros
        from (
            select
                source,
                counter,
                from_utc,
                to_utc,
                above_zero,
                zeros
            from {{ this }}
            inner join ranges on quarter_utc >= from_utc and quarter_utc < to_utc
            -- let the scan skip the other days
            where quarter_utc >= (select min(from_utc) from ranges) and quarter_utc < (select max(to_utc) from ranges)
            union all
            select
                source,
                unnest(['import', 'export']) as counter,
                from_utc,
                to_utc,
                unnest([(energy_import_kwh <> 0)::int, (energy_export_kwh <> 0)::int]) as above_zero,
                unnest([(energy_import_kwh = 0)::int, (energy_export_kwh = 0)::int]) as zeros
            from {{ ref('stg_meter_readings') }}
            inner join ranges on ts_utc >= from_utc and ts_utc < to_utc
            where ts_utc >= (select min(from_utc) from ranges) and ts_utc < (select max(to_utc) from ranges)
        )
        group by source, counter, from_utc, to_utc

    ),

    -- the counters that ever show more than zero
    counters as (

        select
            source,
            counter,
            max(last_above_zero_utc) as last_above_zero_utc
        from (
            select
                source,
                counter,
                quarter_utc as last_above_zero_utc
            from {{ this }}
            where above_zero > 0
            union all
            select
                source,
                counter,
                to_utc as last_above_zero_utc
            from changed
            where above_zero > 0
        )
        group by source, counter

    ),

    -- zeros after all that a counter has shown are holes, and change nothing
    touched as (

        select
            changed.source,
            changed.counter,
            changed.from_utc,
            changed.to_utc
        from changed
        left join counters using (source, counter)
        where changed.above_zero > 0 or (changed.zeros > 0 and coalesce(counters.last_above_zero_utc >= changed.from_utc, true))

    ),

    anchors as (

        select
            candidates.source,
            candidates.counter,
            candidates.quarter_utc,
            candidates.support_from_utc,
            candidates.support_to_utc
        from (
            select
                source,
                counter,
                quarter_utc,
                anchor.from_utc as support_from_utc,
                anchor.to_utc as support_to_utc
            from {{ this }}
            where anchor is not null and {{ is_near }}
            union all
            select
                source,
                counter,
                quarter_utc,
                quarter_utc as support_from_utc,
                quarter_utc + interval 15 minutes as support_to_utc
            from {{ this }}
            anti join counters using (source, counter)
            where readings > 0 and {{ is_near }}
        ) as candidates
        anti join ranges
            on candidates.support_to_utc >= ranges.from_utc and candidates.support_from_utc < ranges.to_utc

    ),

    bounds as (

        select
            touched.source,
            touched.counter,
            touched.from_utc,
            coalesce(max(anchors.quarter_utc) filter (anchors.support_to_utc < touched.from_utc), '-infinity') as write_from_utc,
            coalesce(min(anchors.quarter_utc) filter (anchors.support_from_utc >= touched.to_utc), 'infinity') as write_to_utc
        from touched
        left join anchors using (source, counter)
        group by touched.source, touched.counter, touched.from_utc

    ),

    -- stretches that overlap are one
    stretches as (

        select
            source,
            counter,
            min(write_from_utc) as write_from_utc,
            max(write_to_utc) as write_to_utc
        from (
            select
                *,
                sum(begins) over (partition by source, counter order by write_from_utc, write_to_utc rows unbounded preceding) as stretch
            from (
                select
                    *,
                    coalesce(write_from_utc > max(write_to_utc) over (
                        partition by source, counter order by write_from_utc, write_to_utc rows between unbounded preceding and 1 preceding
                    ), true)::int as begins
                from bounds
            )
        )
        group by source, counter, stretch

    )

    select
        row_number() over (order by stretches.source, stretches.counter, stretches.write_from_utc) as seq,
        stretches.source,
        stretches.counter,
        coalesce(max_by(anchors.support_from_utc, anchors.quarter_utc) filter (anchors.quarter_utc < stretches.write_from_utc), '-infinity')
            as load_from_utc,
        coalesce(min_by(anchors.support_to_utc, anchors.quarter_utc) filter (anchors.quarter_utc > stretches.write_to_utc), 'infinity')
            as load_to_utc,
        stretches.write_from_utc,
        stretches.write_to_utc
    from stretches
    left join anchors using (source, counter)
    group by stretches.source, stretches.counter, stretches.write_from_utc, stretches.write_to_utc
{% endmacro %}

{# To be run before int_counter_quarters, after the changed days are found; the model reads the table. #}
{% macro find_stretches() %}
    {%- if is_incremental() -%}
        create or replace temp table rebuilt_stretches as {{ stretches_to_rebuild() }}
    {%- endif -%}
{% endmacro %}

{# To be run after int_counter_quarters, in its transaction: the days that its stretches touch have another version. #}
{% macro record_rebuilt_days() %}
    {%- set is_rebuilt -%}
        {%- if is_incremental() -%}
            exists (select 1 from rebuilt_stretches where days.dt + 1 >= write_from_utc::date and days.dt - 1 <= write_to_utc::date)
        {%- else -%}
            true
        {%- endif -%}
    {%- endset -%}
    delete from {{ rebuilt_days() }} as days where {{ is_rebuilt }};
    insert into {{ rebuilt_days() }}
    select
        days.dt,
        '{{ invocation_id }}'
    from (
        select distinct quarter_jst::date as dt
        from {{ this }}
        {%- if is_incremental() %}
            -- let the scan skip other days
            where
                quarter_utc >= (select min(write_from_utc) - interval 4 days from rebuilt_stretches)
                and quarter_utc <= (select max(write_to_utc) + interval 4 days from rebuilt_stretches)
        {%- endif %}
    ) as days
    where {{ is_rebuilt }}
{% endmacro %}

{# Puts the rebuilt quarters in place of all that were in their stretches. #}
{% macro get_incremental_replace_stretches_sql(arguments) %}
    delete from {{ arguments.target_relation }} as old
    using rebuilt_stretches as stretch
    where
        old.source = stretch.source and old.counter = stretch.counter
        and old.quarter_utc between stretch.write_from_utc and stretch.write_to_utc
        -- let the scan skip what lies outside of all
        and old.quarter_utc >= (select min(write_from_utc) from rebuilt_stretches)
        and old.quarter_utc <= (select max(write_to_utc) from rebuilt_stretches);
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}

{# Puts the rebuilt days in place of all that changed. #}
{% macro get_incremental_replace_days_sql(arguments) %}
    delete from {{ arguments.target_relation }} where date_jst in (select dt from changed_days);
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}
