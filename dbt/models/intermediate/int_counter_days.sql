{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        on_schema_change='sync_all_columns',
        pre_hook=["{{ add_register() }}", "{{ find_changed_days(present_judged()) }}"],
        post_hook="{{ record_changed_days() }}"
    )
}}

select
    quarter_jst::date as date_jst,
    source,
    counter,
    register,
    sum(kwh) as kwh,
    sum(estimated_kwh) as estimated_kwh,
    sum(readings)::int as readings,
    sum(accepted)::int as accepted,
    sum(glitches)::int as glitches,
    sum(resets)::int as resets,
    sum(step_backs)::int as step_backs,
    sum(backwards)::int as backwards,
    bool_or(fell_within) as fell_within,
    max(longest_step_s) as longest_step_s,
    count(*) filter (
        kwh is not null and longest_step_s <= {{ setting('max_gap_s') }}
    ) as known_quarters,
    median(usual_step_s) as usual_step_s,
    min(lowest_kwh) as lowest_kwh,
    max(highest_kwh) as highest_kwh
from {{ ref('int_counter_quarters') }}
where
    (kwh is not null or readings > 0 or glitches > 0 or longest_step_s is not null)
    {%- if is_incremental() %}
        and {{ is_of_changed_day() }}
    {%- endif %}
group by 1, source, counter, register
