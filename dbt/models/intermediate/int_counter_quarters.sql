{{
    config(
        materialized='incremental',
        incremental_strategy='replace_quarters',
        on_schema_change='sync_all_columns',
        pre_hook=["{{ add_register() }}", "{{ find_changed_days(present_judged()) }}"],
        post_hook="{{ record_changed_days() }}"
    )
}}

with judged as (

    select
        * exclude (at_utc),
        at_utc as quarter_utc
    from {{ ref('int_counter_judged') }}
    where
        row_kind = 'quarter'
        {%- if is_incremental() %}
            and at_utc >= (select min(dt) - interval 1 day from changed_days)
            and at_utc < (select max(dt) + interval 2 days from changed_days)
        {%- endif %}

),

parts as (

    select * from judged
    union all by name
    -- of a counter that runs both ways, what it counts against its direction
    select
        source,
        register,
        if(counter = 'import', 'export', 'import') as counter,
        quarter_utc,
        back_kwh as kwh,
        readings,
        accepted,
        longest_step_s,
        steps,
        steps_s,
        lowest_kwh,
        highest_kwh
    from judged
    where {{ direction('judged.counter') }} = 'both'

),

quarters as (

    select
        source,
        counter,
        register,
        quarter_utc,
        sum(kwh) as kwh,
        if(sum(kwh) is null, null, sum(estimated_kwh)) as estimated_kwh,
        coalesce(sum(readings), 0)::int as readings,
        coalesce(sum(accepted), 0)::int as accepted,
        coalesce(sum(glitches), 0)::int as glitches,
        coalesce(sum(resets), 0)::int as resets,
        coalesce(sum(step_backs), 0)::int as step_backs,
        coalesce(sum(backwards), 0)::int as backwards,
        max(longest_step_s) as longest_step_s,
        sum(steps_s) / nullif(sum(steps), 0) as usual_step_s,
        min(lowest_kwh) as lowest_kwh,
        max(highest_kwh) as highest_kwh,
        max(fell_from_utc) as fell_from_utc
    from parts
    group by source, counter, register, quarter_utc

),

local_quarters as (

    select
        source,
        counter,
        register,
        quarter_utc,
        {{ local_time('quarter_utc') }} as quarter_jst,
        * exclude (source, counter, register, quarter_utc, fell_from_utc),
        -- a fall that begins in the day before is none of this day's readings
        coalesce(
            {{ local_time('fell_from_utc') }}::date = {{ local_time('quarter_utc') }}::date, false
        ) as fell_within
    from quarters

)

select * from local_quarters
{%- if is_incremental() %}
    where quarter_jst::date in (select dt from changed_days)
{%- endif %}
-- let later scans skip the other days
order by quarter_utc
