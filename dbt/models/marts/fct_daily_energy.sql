{%- set imported = day_kwh('import') -%}
{%- set exported = day_kwh('export') -%}

with counters as (

    select * from {{ ref('int_daily_counters') }}

),

power as (

    select
        *,
        median(mean_step_s) over {{ last_four_weeks() }} as usual_step_s,
        -- 0.0 stands for a missing power, unless the source never has another
        max(peak_w) over (partition by source) is null as is_idle
    from {{ ref('int_daily_power') }}

),

hours as (

    select
        date_jst,
        source,
        sum(import_kwh) as hours_import_kwh,
        sum(export_kwh) as hours_export_kwh
    from {{ ref('fct_hourly_energy') }}
    where {{ is_summed() }}
    group by date_jst, source

),

energy as (

    select
        date_jst,
        source,
        {{ imported }} as import_kwh,
        {{ exported }} as export_kwh,
        {{ net(imported, exported, 'date_jst') }} as net_kwh,
        sum(estimated_kwh) as estimated_kwh,
        sum(resets)::int as reset_count,
        sum(glitches)::int as glitch_count,
        sum(step_backs)::int as step_back_count,
        sum(backwards)::int as backwards_count,
        not coalesce(bool_or(fell_within) filter (counter = 'import'), true) as import_ran_on,
        if(
            bool_or(counter = 'import' and highest_kwh is null and date_jst > begin_jst),
            null,
            sum(highest_kwh - lowest_kwh) filter (counter = 'import')
        ) as import_range_kwh,
        min(coverage) as coverage,
        max(longest_step_s) as longest_gap_s
    from counters
    left join {{ ref('int_counter_begins') }} using (source)
    left join hours using (date_jst, source)
    group by date_jst, source

)

select
    date_jst,
    source,
    -- more than the day's steps have: the counter went through its highest value
    if(
        energy.import_ran_on
        and energy.import_range_kwh <= coalesce(energy.import_kwh, 0) + 1e-6,
        energy.import_range_kwh,
        null
    ) as daily_energy_kwh,
    if(power.is_idle and power.zero_at_jst is not null, 0, power.peak_w) as peak_w,
    if(power.is_idle, power.zero_at_jst, power.peak_at_jst) as peak_at_jst,
    power.first_reading_jst,
    power.last_reading_jst,
    coalesce(power.readings, 0) as readings,
    energy.import_kwh,
    energy.export_kwh,
    energy.net_kwh,
    energy.estimated_kwh,
    coalesce(energy.reset_count, 0) as reset_count,
    coalesce(energy.step_back_count, 0) as step_back_count,
    coalesce(energy.backwards_count, 0) as backwards_count,
    coalesce(energy.glitch_count, 0) as glitch_count,
    coalesce(
        energy.coverage, {{ coverage('power.readings', 'power.usual_step_s', 'date_jst') }}
    ) as coverage,
    energy.longest_gap_s,
    {{
        is_complete(
            'coverage', 'energy.longest_gap_s',
            ['energy.reset_count', 'energy.step_back_count', 'energy.backwards_count']
        )
    }} as is_complete
from energy
full outer join power using (date_jst, source)
