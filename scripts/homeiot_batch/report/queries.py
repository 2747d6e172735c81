"""The queries of the report, on the marts of the read copy. `$last` is the house's last day."""

BARS = 90  # days in the bar chart and the heat map
SHARE_DAYS = 31  # days of which the shares of sub-meters are

# A day with one unknown counter leaves the span's net unknown, as in fct_monthly_energy.
NET = """
    if(
        bool_or(net_kwh IS NULL AND coalesce(import_kwh, export_kwh) IS NOT NULL),
        NULL,
        sum(net_kwh)
    ) AS net_kwh
"""

# Kinds in the order in which energy comes into the house, and then what uses it.
METERS = """
SELECT *
FROM dim_source
ORDER BY
    coalesce(list_position(['grid', 'solar', 'battery', 'load'], kind), 5),
    coalesce(has_export, false) DESC,
    source
"""

DAYS = """
WITH calendar AS (
    SELECT
        source,
        unnest(generate_series(min(date_jst), $last::DATE, INTERVAL 1 DAY))::DATE AS date_jst
    FROM fct_daily_energy
    GROUP BY source
)
SELECT
    source,
    date_jst,
    import_kwh,
    export_kwh,
    net_kwh,
    coalesce(estimated_kwh, 0) AS estimated_kwh,
    coalesce(reset_count, 0) AS reset_count,
    coalesce(step_back_count, 0) AS step_back_count,
    coalesce(backwards_count, 0) AS backwards_count,
    coalesce(glitch_count, 0) AS glitch_count,
    coverage,
    longest_gap_s,
    coalesce(is_complete, false) AS is_complete,
    peak_w,
    peak_at_jst,
    coalesce(readings, 0) AS readings
FROM calendar LEFT JOIN fct_daily_energy USING (source, date_jst)
ORDER BY source, date_jst
"""

MONTHS = """
SELECT
    source,
    month_jst,
    import_kwh,
    export_kwh,
    net_kwh,
    coalesce(estimated_kwh, 0) AS estimated_kwh,
    peak_w,
    reset_count,
    step_back_count,
    backwards_count,
    glitch_count,
    complete_days
FROM fct_monthly_energy
ORDER BY source, month_jst
"""

YEARS = f"""
SELECT
    source,
    year(date_jst) AS year,
    sum(import_kwh) AS import_kwh,
    sum(export_kwh) AS export_kwh,
    {NET},
    coalesce(sum(estimated_kwh), 0) AS estimated_kwh,
    count_if(is_complete) AS complete_days
FROM fct_daily_energy
GROUP BY ALL
ORDER BY ALL
"""

# A day without a reading and without an estimate has hours of 0 that nobody measured. But a counter
# that is written on a change may stand still all day.
IS_KNOWN = """
(source, date_jst) NOT IN (
    SELECT (source, date_jst)
    FROM fct_daily_energy
    WHERE readings = 0 AND coalesce(estimated_kwh, 0) = 0 AND coalesce(coverage, 0) = 0
)
"""

HOURS = f"""
SELECT
    source,
    date_jst,
    hour(hour_jst) AS hour,
    avg(import_kwh) AS import_kwh,
    avg(export_kwh) AS export_kwh,
    sum(estimated_kwh) > 0 AS is_estimated
FROM fct_hourly_energy
WHERE date_jst > $last::DATE - {BARS} AND date_jst <= $last AND {IS_KNOWN}
GROUP BY ALL
ORDER BY ALL
"""

DAY_HOURS = """
SELECT
    source,
    date_jst,
    hour(hour_jst) AS hour,
    import_kwh,
    export_kwh,
    estimated_kwh > 0 AS is_estimated
FROM fct_hourly_energy
WHERE date_jst = $last
ORDER BY source, hour_start_utc
"""

HOUR_MEANS = f"""
SELECT
    source,
    hour(hour_jst) AS hour,
    avg(import_kwh) AS import_kwh,
    avg(export_kwh) AS export_kwh
FROM fct_hourly_energy
WHERE date_jst > $last::DATE - {BARS} AND date_jst <= $last AND {IS_KNOWN}
GROUP BY ALL
ORDER BY ALL
"""

LOAD_CURVE = """
SELECT source, quarter_utc, import_w, export_w
FROM fct_load_curve
WHERE date_jst = $last AND is_measured
ORDER BY ALL
"""

TYPICAL_DAY = """
SELECT source, time_jst, import_w, export_w, days
FROM fct_daily_profile
WHERE day_kind = if(isodow($last::DATE) > 5, 'weekend', 'workday')
ORDER BY source, time_jst
"""

MONTHS_TO_DATE = f"""
WITH this_month AS (
    SELECT
        date_trunc('month', $last::DATE)::DATE AS first_day,
        (date_trunc('month', $last::DATE) - INTERVAL 1 MONTH)::DATE AS former_first_day
),
spans AS (
    SELECT 'this' AS month, first_day, $last::DATE AS last_day
    FROM this_month
    UNION ALL
    SELECT
        'former',
        former_first_day,
        least(first_day - 1, former_first_day + day($last::DATE)::INT - 1)
    FROM this_month
)
SELECT
    source,
    month,
    first_day,
    last_day,
    sum(import_kwh) AS import_kwh,
    sum(export_kwh) AS export_kwh,
    {NET},
    coalesce(sum(estimated_kwh), 0) AS estimated_kwh,
    count_if(is_complete) AS complete_days,
    sum(reset_count) AS reset_count,
    sum(step_back_count) AS step_back_count,
    sum(backwards_count) AS backwards_count
FROM spans JOIN fct_daily_energy ON date_jst BETWEEN first_day AND last_day
GROUP BY ALL
"""

COSTS = """
SELECT source, date_jst, currency, import_cost, feed_in_revenue, net_cost, unpriced_kwh
FROM fct_daily_cost
WHERE date_jst <= $last
ORDER BY source, date_jst
"""

FLOWS = """
    imported_kwh,
    exported_kwh,
    produced_kwh,
    charged_kwh,
    discharged_kwh,
    consumed_kwh,
    solar_to_house_kwh,
    solar_to_battery_kwh,
    solar_to_grid_kwh,
    battery_to_house_kwh,
    battery_to_grid_kwh,
    grid_to_house_kwh,
    grid_to_battery_kwh,
    unexplained_kwh,
    estimated_kwh,
    self_consumption,
    self_sufficiency
"""

BALANCE_DAYS = f"""
WITH calendar AS (
    SELECT
        unnest(
            generate_series(
                greatest(min(date_jst), $last::DATE - {BARS - 1}), $last::DATE, INTERVAL 1 DAY
            )
        )::DATE AS date_jst
    FROM fct_daily_balance
    HAVING count(*) > 0
)
SELECT
    date_jst,
    {FLOWS},
    coalesce(is_complete, false) AS is_complete,
    coalesce(hours, 0) AS hours,
    coalesce(complete_hours, 0) AS complete_hours
FROM calendar LEFT JOIN fct_daily_balance USING (date_jst)
ORDER BY date_jst
"""

BALANCE_MONTHS = f"""
SELECT month_jst, {FLOWS}, is_complete, known_days, complete_days
FROM fct_monthly_balance
ORDER BY month_jst
"""

# Of the last days whose consumption is known.
SUB_METERS = f"""
WITH known AS (
    SELECT date_jst
    FROM fct_daily_balance
    WHERE
        consumed_kwh IS NOT NULL
        AND date_jst > $last::DATE - {SHARE_DAYS} AND date_jst <= $last
)
SELECT
    coalesce(display_name, source) AS name,
    sum(import_kwh) AS import_kwh,
    count_if(coalesce(is_complete, false)) AS complete_days
FROM (SELECT source, display_name FROM dim_source WHERE kind = 'load')
CROSS JOIN known
LEFT JOIN fct_daily_energy USING (source, date_jst)
GROUP BY source, display_name
ORDER BY import_kwh DESC NULLS LAST, name
"""
