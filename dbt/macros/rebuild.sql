{#
    What a build has to make anew. `built_loads` keeps, for each incremental model, which load of each day it was made from, written in the same
    transaction as the model's rows: so whatever was loaded again, came, or went since then is found, also if dbt was killed between two models.
#}

{# Relation of the loads that the incremental models were made from. #}
{% macro built_loads() -%}
    {{ return(api.Relation.create(database=target.database, schema=target.schema, identifier='built_loads')) }}
{%- endmacro %}

{% macro create_built_loads() %}
    create table if not exists {{ built_loads() }} (model varchar, dt date, load_id varchar)
{% endmacro %}

{# The loads that are in the raw table now. Other settings, or other rules (count up `rules`), make every load another one. #}
{% macro present_loads() %}
    {%- set names = ['max_power_kw', 'counter_noise_kwh', 'counter_wrap_kwh', 'glitch_readings', 'max_gap_s', 'sources'] -%}
    {%- set settings = {'rules': 1} -%}
    {%- for name in names -%} {%- do settings.update({name: var(name)}) -%} {%- endfor -%}
    select
        dt,
        load_id || '-{{ local_md5(tojson(settings, sort_keys=true)) }}' as load_id
    from {{ source('batch', 'loads') }}
    where dataset = 'raw_meter_readings'
{% endmacro %}

{# To be run after a model, in its transaction. #}
{% macro record_loads() %}
    delete from {{ built_loads() }} where model = '{{ this.identifier }}';
    insert into {{ built_loads() }} select '{{ this.identifier }}', * from ({{ present_loads() }})
{% endmacro %}

{# The days that came, went, or were loaded again since the model was built. #}
{% macro changed_days() %}
    select dt
    from ({{ present_loads() }}) as present
    full outer join (select dt, load_id from {{ built_loads() }} where model = '{{ this.identifier }}') as built using (dt)
    where present.load_id is distinct from built.load_id
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
        from ({{ changed_days() }})
    )
    group by run
{% endmacro %}

{#
    The sequences of counter_steps() that must be judged again: per source and counter with values in a range of changed days, now or before, from the last
    anchor before it to the first one after it. An anchor is a reading that is on the path whatever happens around it: it and its support (the readings
    next to it that show so) lie outside of all changed days. All of the anchor's quarter of an hour is written, so reading begins with the support of an
    anchor before that. Of a counter that never showed anything but 0.0, every quarter with readings is an anchor.
#}
{% macro stretches_to_rebuild() %}
    with ranges as materialized ({{ changed_ranges() }}),

    before as (

        select
            source,
            counter,
            quarter_utc,
            readings,
            above_zero,
            zeros,
            anchor
        from {{ this }}

    ),

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
            from before
            inner join ranges on quarter_utc >= from_utc and quarter_utc < to_utc
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
            where ts_utc >= (select min(from_utc) from ranges)
        )
        group by source, counter, from_utc, to_utc

    ),

    counters as (

        select
            source,
            counter,
            bool_or(above_zero > 0) as shows_more_than_zero,
            max(last_above_zero_utc) as last_above_zero_utc
        from (
            select
                source,
                counter,
                sum(above_zero) as above_zero,
                max(quarter_utc) filter (above_zero > 0) as last_above_zero_utc
            from before
            group by source, counter
            union all
            select
                source,
                counter,
                sum(above_zero) as above_zero,
                max(to_utc) filter (above_zero > 0) as last_above_zero_utc
            from changed
            group by source, counter
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
        inner join counters using (source, counter)
        where
            changed.above_zero > 0
            or (changed.zeros > 0 and (not counters.shows_more_than_zero or counters.last_above_zero_utc >= changed.from_utc))

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
            from before
            where anchor is not null
            union all
            select
                source,
                counter,
                quarter_utc,
                quarter_utc as support_from_utc,
                quarter_utc + interval 15 minutes as support_to_utc
            from before
            inner join counters using (source, counter)
            where before.readings > 0 and not counters.shows_more_than_zero
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

{# Puts the rebuilt quarters in place of all that were in their stretches. #}
{% macro get_incremental_replace_stretches_sql(arguments) %}
    delete from {{ arguments.target_relation }} as old
    using ({{ stretches_to_rebuild() }}) as stretch
    where
        old.source = stretch.source and old.counter = stretch.counter
        and old.quarter_utc between stretch.write_from_utc and stretch.write_to_utc;
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}

{# Puts the rebuilt days in place of all that changed. #}
{% macro get_incremental_replace_days_sql(arguments) %}
    delete from {{ arguments.target_relation }} where date_jst in ({{ changed_days() }});
    insert into {{ arguments.target_relation }} by name select * from {{ arguments.temp_relation }}
{% endmacro %}
