with days as (

    select * from {{ ref('fct_daily_energy') }}

),

counters as (

    select
        source,
        max(usual_interval_s) filter (counter = 'import') as import_interval_s,
        max(usual_interval_s) filter (counter = 'export') as export_interval_s
    from (
        select
            source,
            counter,
            register,
            arg_max(usual_interval_s, date_jst) as usual_interval_s
        from {{ ref('int_daily_counters') }}
        group by source, counter, register
    )
    group by source

),

learned as (

    select
        source,
        sum(learned_kw) filter (counter = 'import') as import_learned_kw,
        sum(learned_kw) filter (counter = 'export') as export_learned_kw
    from (
        select
            source,
            counter,
            register,
            arg_max(learned_kw, judged_utc) as learned_kw
        from {{ ref('int_counter_judged') }}
        where row_kind = 'state'
        group by source, counter, register
    )
    group by source

),

silent as (

    select
        source,
        min(silent_since_jst) as silent_since_jst
    from {{ ref('int_silent_registers') }}
    group by source

)

select
    source,
    {{ source_text('name') }} as display_name,
    {{ source_text('kind') }} as kind,
    if({{ counts_power() }}, 'power', 'registers') as energy_from,
    {{ reports_of_source() }} as reports,
    {{ until() }} as until_jst,
    min(days.first_reading_jst) as first_reading_jst,
    max(days.last_reading_jst) as last_reading_jst,
    any_value(silent.silent_since_jst) as silent_since_jst,
    count(*)::int as days,
    count_if(days.is_complete)::int as complete_days,
    max(days.import_kwh) > 0 as has_import,
    max(days.export_kwh) > 0 as has_export,
    count(days.peak_w) > 0 as has_power,
    any_value(counters.import_interval_s) as import_interval_s,
    any_value(counters.export_interval_s) as export_interval_s,
    {{ direction("'import'") }} as direction,
    {{ direction("'export'") }} as export_direction,
    {{ setting('unit') }} as unit,
    ({{ setting('max_power_kw') }})::double as max_power_kw,
    any_value(learned.import_learned_kw) as import_learned_kw,
    any_value(learned.export_learned_kw) as export_learned_kw,
    ({{ setting('counter_noise_kwh') }})::double as counter_noise_kwh,
    ({{ setting('counter_wrap_kwh') }})::double as counter_wrap_kwh,
    ({{ setting('glitch_readings') }})::int as glitch_readings,
    ({{ setting('max_gap_s') }})::double as max_gap_s
from days
left join counters using (source)
left join learned using (source)
left join silent using (source)
group by source
