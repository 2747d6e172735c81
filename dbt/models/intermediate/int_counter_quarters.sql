{{
    config(
        materialized='incremental',
        incremental_strategy='replace_stretches',
        pre_hook=["{{ find_changed_days(present_loads()) }}", "{{ find_stretches() }}"],
        post_hook=["{{ record_changed_days() }}", "{{ record_rebuilt_days() }}"]
    )
}}

with recursive {{ counter_steps('from rebuilt_stretches' if is_incremental() else whole_archive()) }},

{{ spread_over_quarters() }},

facts as (

    select
        seq,
        quarter_utc,
        kwh,
        estimated_kwh,
        step_s as longest_step_s
    from shares
    union all by name
    select
        seq,
        {{ quarter_of('at_utc') }} as quarter_utc,
        if(kind = 'glitch', 0, 1) as readings,
        if(kind = 'glitch', 1, 0) as glitches,
        if(kind in ('reset', 'swap'), 1, 0) as resets,
        case
            when kind in ('reset', 'swap')
                then ({{ local_time('from_utc') }}::date = {{ local_time('at_utc') }}::date)::int
        end as resets_within,
        if(reading_kwh <> 0, 1, 0) as above_zero,
        if(kind = 'glitch', null, reading_kwh) as reading_kwh,
        if(step_s > 0, step_s, null) as step_s,
        if(
            support_from_utc is not null and support_to_utc is not null,
            struct_pack(at_utc := at_utc, from_utc := support_from_utc, to_utc := support_to_utc),
            null
        ) as anchor
    from steps
    union all by name
    select
        seq,
        {{ quarter_of('at_utc') }} as quarter_utc,
        1 as zeros
    from zeros

),

quarters as (

    select
        seq,
        quarter_utc,
        sum(kwh) as kwh,
        sum(estimated_kwh) as estimated_kwh,
        coalesce(sum(readings), 0)::int as readings,
        coalesce(sum(glitches), 0)::int as glitches,
        coalesce(sum(resets), 0)::int as resets,
        coalesce(sum(resets_within), 0)::int as resets_within,
        max(longest_step_s) as longest_step_s,
        avg(step_s) as usual_step_s,
        min(reading_kwh) as lowest_kwh,
        max(reading_kwh) as highest_kwh,
        coalesce(sum(above_zero), 0)::int as above_zero,
        coalesce(sum(zeros), 0)::int as zeros,
        max(anchor) as anchor
    from facts
    group by seq, quarter_utc

)

select
    sequences.source,
    sequences.counter,
    quarters.quarter_utc,
    {{ local_time('quarters.quarter_utc') }} as quarter_jst,
    quarters.* exclude (seq, quarter_utc)
from quarters
inner join sequences using (seq)
where quarters.quarter_utc between sequences.write_from_utc and sequences.write_to_utc
-- let later scans skip the other days
order by quarters.quarter_utc
