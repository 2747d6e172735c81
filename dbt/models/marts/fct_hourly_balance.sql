{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        on_schema_change='append_new_columns',
        pre_hook="{{ find_changed_days(present_quarters_and_house()) }}",
        post_hook="{{ record_changed_days() }}"
    )
}}

with counters as (

    select * from {{ ref('int_house_counters') }}

),

days as (

    select distinct date_jst
    from {{ ref('int_counter_days') }}
    where
        date_jst >= (select min({{ local_time('begin_utc') }})::date from counters)
        {%- if is_incremental() %}
            and date_jst in (select dt from changed_days)
        {%- endif %}

),

calendar as (

    select
        date_jst,
        quarter_utc,
        {{ local_time('quarter_utc') }} as quarter_jst
    from (
        select
            date_jst,
            unnest(
                range(
                    {{ midnight('date_jst') }} - interval 2 hours,
                    {{ midnight('date_jst + 1') }} + interval 2 hours,
                    interval 15 minutes
                )
            ) as quarter_utc
        from days
    )

),

-- every hour of the days, as fct_hourly_energy has them
hours as (

    select
        date_jst,
        date_trunc('hour', quarter_jst) as clock_hour,
        quarter_jst - quarter_utc as utc_offset,
        min(quarter_jst) as hour_jst,
        min(quarter_utc) as hour_start_utc,
        max(quarter_utc) + interval 15 minutes as hour_end_utc,
        count(*) as quarters
    from calendar
    where quarter_jst::date = date_jst
    group by 1, 2, 3

),

-- from the reading before a counter began again, was swapped or fell: this energy is in no number
breaks as (

    select distinct
        source,
        counter,
        unnest(
            range(time_bucket(interval 15 minutes, from_utc), at_utc, interval 15 minutes)
        ) as quarter_utc
    from {{ ref('int_counter_judged') }}
    inner join counters using (source, counter)
    where
        row_kind = 'event'
        and (
            kind in ('restart', 'swap', 'step back')
            or (kind = 'backwards' and back_kwh is null)
        )
        {%- if is_incremental() %}
            and at_utc >= (select min(dt) - interval 1 day from changed_days)
        {%- endif %}

),

known as (

    select
        source,
        counter,
        date_trunc('hour', quarter_jst) as clock_hour,
        quarter_jst - quarter_utc as utc_offset,
        sum(kwh) as kwh,
        sum(estimated_kwh) as estimated_kwh,
        count(*) as quarters,
        count(breaks.quarter_utc) > 0 as has_break
    from {{ ref('int_quarter_energy') }}
    left join breaks using (source, counter, quarter_utc)
    where
        kwh is not null and source in (select source from counters)
        {%- if is_incremental() %}
            and {{ is_of_changed_day() }}
        {%- endif %}
    group by 1, 2, 3, 4

),

-- of each counter, what is known of the whole hour
parts as (

    select
        hours.date_jst,
        hours.hour_jst,
        hours.hour_start_utc,
        counters.part,
        case
            when hours.hour_end_utc <= counters.begin_utc and not counters.is_first then 0
            when hours.hour_start_utc >= counters.end_utc then 0
            when known.quarters = hours.quarters then known.kwh
        end as kwh,
        known.estimated_kwh,
        known.has_break
    from hours
    cross join counters
    left join known using (source, counter, clock_hour, utc_offset)

),

totals as (

    select
        date_jst,
        hour_jst,
        hour_start_utc,
        {{ sum_of_part('imported') }} as imported_kwh,
        {{ sum_of_part('exported') }} as exported_kwh,
        {{ sum_of_part('produced') }} as produced_kwh,
        {{ sum_of_part('charged') }} as charged_kwh,
        {{ sum_of_part('discharged') }} as discharged_kwh,
        coalesce(sum(estimated_kwh), 0) as estimated_kwh,
        coalesce(bool_or(has_break), false) as has_break
    from parts
    group by date_jst, hour_jst, hour_start_utc

),

consumed as (

    select
        *,
        greatest(
            0, imported_kwh + produced_kwh + discharged_kwh - exported_kwh - charged_kwh
        ) as consumed_kwh
    from totals
    where
        imported_kwh is not null and exported_kwh is not null and produced_kwh is not null
        and charged_kwh is not null and discharged_kwh is not null

),

-- in this order, each step takes what those before it have left
flows as (

    select
        *,
        -- bought, and more than the house can have used
        greatest(0, least(imported_kwh - consumed_kwh, charged_kwh)) as surplus_to_battery_kwh,
        least(produced_kwh, charged_kwh - surplus_to_battery_kwh) as solar_to_battery_kwh,
        least(produced_kwh - solar_to_battery_kwh, exported_kwh) as solar_to_grid_kwh,
        least(discharged_kwh, exported_kwh - solar_to_grid_kwh) as battery_to_grid_kwh,
        -- what the battery still lacks
        surplus_to_battery_kwh + least(
            imported_kwh - surplus_to_battery_kwh,
            charged_kwh - surplus_to_battery_kwh - solar_to_battery_kwh
        ) as grid_to_battery_kwh,
        least(
            produced_kwh - solar_to_battery_kwh - solar_to_grid_kwh, consumed_kwh
        ) as solar_to_house_kwh,
        least(
            discharged_kwh - battery_to_grid_kwh, consumed_kwh - solar_to_house_kwh
        ) as battery_to_house_kwh,
        greatest(
            0,
            least(
                imported_kwh - grid_to_battery_kwh,
                consumed_kwh - solar_to_house_kwh - battery_to_house_kwh
            )
        ) as grid_to_house_kwh
    from consumed

),

-- went out of the house, and came from nowhere. A battery may charge another one
explained as (

    select
        *,
        exported_kwh - solar_to_grid_kwh - battery_to_grid_kwh + greatest(
            0,
            (charged_kwh - grid_to_battery_kwh - solar_to_battery_kwh)
            - (discharged_kwh - battery_to_house_kwh - battery_to_grid_kwh)
        ) as unexplained_kwh
    from flows

)

select
    totals.date_jst,
    totals.hour_jst,
    hour_start_utc,
    totals.imported_kwh,
    totals.exported_kwh,
    totals.produced_kwh,
    totals.charged_kwh,
    totals.discharged_kwh,
    explained.consumed_kwh,
    explained.solar_to_house_kwh,
    explained.solar_to_battery_kwh,
    explained.solar_to_grid_kwh,
    explained.battery_to_house_kwh,
    explained.battery_to_grid_kwh,
    explained.grid_to_house_kwh,
    explained.grid_to_battery_kwh,
    explained.unexplained_kwh,
    totals.estimated_kwh,
    {{ self_consumption('explained.produced_kwh', 'explained.solar_to_grid_kwh') }}
        as self_consumption,
    {{ self_sufficiency('explained.consumed_kwh', 'explained.grid_to_house_kwh') }}
        as self_sufficiency,
    coalesce(
        explained.unexplained_kwh <= {{ var('counter_noise_kwh') }}
        and totals.estimated_kwh = 0
        and not totals.has_break,
        false
    ) as is_complete
from totals
left join explained using (hour_start_utc)
