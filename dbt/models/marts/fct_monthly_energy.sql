select
    date_trunc('month', date_jst)::date as month_jst,
    source,
    sum(import_kwh) as import_kwh,
    sum(export_kwh) as export_kwh,
    -- a day of which one of two counters is not known leaves the month's net unknown
    if(
        bool_or(net_kwh is null and coalesce(import_kwh, export_kwh) is not null),
        null,
        sum(net_kwh)
    ) as net_kwh,
    sum(estimated_kwh) as estimated_kwh,
    max(peak_w) as peak_w,
    sum(reset_count)::int as reset_count,
    sum(step_back_count)::int as step_back_count,
    sum(backwards_count)::int as backwards_count,
    sum(glitch_count)::int as glitch_count,
    count(*)::int as days,
    count_if(is_complete)::int as complete_days
from {{ ref('fct_daily_energy') }}
group by 1, source
