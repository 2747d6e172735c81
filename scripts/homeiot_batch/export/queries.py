"""The queries of exports of tables. `$first`, `$last` and `$sources` are those of the request.

The columns of each query are those of the export, in their order.
"""

from homeiot_batch.export.columns import Column

IS_WANTED = "($sources IS NULL OR list_contains($sources, source))"
# a day inside a gap before another meter has 0.0 in the tables, which nobody measured
JUDGED = f"""
judged AS (
    SELECT
        *,
        coalesce(is_complete, false) AS complete,
        readings > 0 OR coalesce(estimated_kwh, 0) > 0 OR coalesce(coverage, 0) > 0 AS is_known
    FROM fct_daily_energy
    WHERE date_jst BETWEEN $first AND $last AND {IS_WANTED}
)
"""


def offset(local: str, utc: str) -> str:
    """SQL of how far the local time is ahead of UTC, as UTC+09:00."""
    minutes = f"date_diff('minute', {utc}, {local})"
    return (
        f"printf('UTC%s%02d:%02d', if({minutes} < 0, '-', '+'), "
        f"abs({minutes}) // 60, abs({minutes}) % 60)"
    )


TIMES = (
    Column("start_utc", "utc_time"),
    Column("start_local", "local_time"),
    Column("utc_offset", "offset"),
)
SOURCE = Column("source", "text")
ENERGY = (
    Column("import_kwh", "kwh"),
    Column("export_kwh", "kwh"),
    Column("net_kwh", "kwh"),
    Column("estimated_kwh", "kwh"),
)
EVENTS = (
    Column("reset_count", "number"),
    Column("step_back_count", "number"),
    Column("backwards_count", "number"),
    Column("glitch_count", "number"),
)
COMPLETE = Column("complete", "flag")
DAY_COMPLETE = Column("day_complete", "flag")
COSTS = (
    Column("import_cost", "money"),
    Column("feed_in_revenue", "money"),
    Column("net_cost", "money"),
    Column("unpriced_kwh", "kwh"),
)
CURRENCY = Column("currency", "text")

QUARTERS = f"""
WITH {JUDGED},
energy AS (
    SELECT
        source,
        quarter_jst::DATE AS date_jst,
        quarter_utc,
        quarter_jst,
        sum(kwh) FILTER (counter = 'import') AS import_kwh,
        sum(kwh) FILTER (counter = 'export') AS export_kwh,
        sum(estimated_kwh) AS estimated_kwh
    FROM int_quarter_energy
    WHERE quarter_jst >= $first AND quarter_jst < $last + 1 AND {IS_WANTED}
    GROUP BY ALL
)
SELECT
    quarter_utc AS start_utc,
    quarter_jst AS start_local,
    {offset("quarter_jst", "quarter_utc")} AS utc_offset,
    source,
    if(is_known, energy.import_kwh, NULL) AS import_kwh,
    if(is_known, energy.export_kwh, NULL) AS export_kwh,
    energy.estimated_kwh,
    coalesce(complete, false) AS day_complete
FROM energy LEFT JOIN judged USING (source, date_jst)
ORDER BY start_utc, source
"""

HOURS = f"""
WITH {JUDGED}
SELECT
    hour_start_utc AS start_utc,
    hour_jst AS start_local,
    {offset("hour_jst", "hour_start_utc")} AS utc_offset,
    source,
    if(is_known, energy.import_kwh, NULL) AS import_kwh,
    if(is_known, energy.export_kwh, NULL) AS export_kwh,
    if(is_known, energy.net_kwh, NULL) AS net_kwh,
    energy.estimated_kwh,
    coalesce(complete, false) AS day_complete
FROM fct_hourly_energy AS energy LEFT JOIN judged USING (source, date_jst)
WHERE date_jst BETWEEN $first AND $last AND {IS_WANTED}
ORDER BY start_utc, source
"""

# What nobody measured is unknown, and not the 0 of the tables.
KNOWN_ENERGY = """
    if(is_known, import_kwh, NULL) AS import_kwh,
    if(is_known, export_kwh, NULL) AS export_kwh,
    if(is_known, net_kwh, NULL) AS net_kwh,
    estimated_kwh
""".strip()

DAYS = f"""
WITH {JUDGED},
costs AS (
    SELECT
        * REPLACE (
            if(coalesce(import_cost, feed_in_revenue) IS NULL, NULL, net_cost) AS net_cost
        )
    FROM fct_daily_cost
)
SELECT
    date_jst AS day,
    source,
    {KNOWN_ENERGY},
    peak_w,
    readings,
    coverage,
    longest_gap_s,
    reset_count,
    step_back_count,
    backwards_count,
    glitch_count,
    complete,
    if(is_known, import_cost, NULL) AS import_cost,
    if(is_known, feed_in_revenue, NULL) AS feed_in_revenue,
    if(is_known, net_cost, NULL) AS net_cost,
    unpriced_kwh,
    currency
FROM judged LEFT JOIN costs USING (source, date_jst)
ORDER BY day, source
"""

# In a month with two currencies no sum is a cost.
MONTHS = f"""
WITH {JUDGED},
known AS (
    SELECT source, date_trunc('month', date_jst)::DATE AS month_jst, bool_or(is_known) AS is_known
    FROM judged
    GROUP BY ALL
),
costs AS (
    SELECT
        source,
        date_trunc('month', date_jst)::DATE AS month_jst,
        sum(import_cost) AS import_cost,
        sum(feed_in_revenue) AS feed_in_revenue,
        if(bool_or(net_cost IS NULL), NULL, sum(net_cost)) AS net_cost,
        sum(unpriced_kwh) AS unpriced_kwh,
        count(*) AS priced_days,
        any_value(currency) AS currency,
        count(DISTINCT currency) = 1 AND count(coalesce(import_cost, feed_in_revenue)) > 0
            AS has_cost
    FROM fct_daily_cost
    WHERE {IS_WANTED}
    GROUP BY ALL
)
SELECT
    month_jst AS month,
    source,
    {KNOWN_ENERGY},
    peak_w,
    reset_count,
    step_back_count,
    backwards_count,
    glitch_count,
    days,
    complete_days,
    complete_days = day(last_day(month_jst)) AS complete,
    if(has_cost AND is_known, import_cost, NULL) AS import_cost,
    if(has_cost AND is_known, feed_in_revenue, NULL) AS feed_in_revenue,
    if(has_cost AND is_known, net_cost, NULL) AS net_cost,
    unpriced_kwh,
    priced_days,
    if(has_cost, currency, NULL) AS currency
FROM fct_monthly_energy
LEFT JOIN known USING (source, month_jst)
LEFT JOIN costs USING (source, month_jst)
WHERE month_jst BETWEEN $first AND $last AND {IS_WANTED}
ORDER BY month, source
"""

FLOWS = (
    "imported_kwh",
    "exported_kwh",
    "produced_kwh",
    "charged_kwh",
    "discharged_kwh",
    "consumed_kwh",
    "solar_to_house_kwh",
    "solar_to_battery_kwh",
    "solar_to_grid_kwh",
    "battery_to_house_kwh",
    "battery_to_grid_kwh",
    "grid_to_house_kwh",
    "grid_to_battery_kwh",
    "unexplained_kwh",
    "estimated_kwh",
)

BALANCE = f"""
SELECT
    date_jst AS day,
    {", ".join(FLOWS)},
    self_consumption,
    self_sufficiency,
    hours,
    complete_hours,
    coalesce(is_complete, false) AS complete
FROM fct_daily_balance
WHERE date_jst BETWEEN $first AND $last AND $sources IS NULL
ORDER BY day
"""

# of each `--what`, the query and its columns
TABLES = {
    "quarters": (QUARTERS, (*TIMES, SOURCE, *ENERGY[:2], ENERGY[3], DAY_COMPLETE)),
    "hours": (HOURS, (*TIMES, SOURCE, *ENERGY, DAY_COMPLETE)),
    "days": (
        DAYS,
        (
            Column("day", "date"),
            SOURCE,
            *ENERGY,
            Column("peak_w", "w"),
            Column("readings", "number"),
            Column("coverage", "share"),
            Column("longest_gap_s", "seconds"),
            *EVENTS,
            COMPLETE,
            *COSTS,
            CURRENCY,
        ),
    ),
    "months": (
        MONTHS,
        (
            Column("month", "date"),
            SOURCE,
            *ENERGY,
            Column("peak_w", "w"),
            *EVENTS,
            Column("days", "number"),
            Column("complete_days", "number"),
            COMPLETE,
            *COSTS,
            Column("priced_days", "number"),
            CURRENCY,
        ),
    ),
    "balance": (
        BALANCE,
        (
            Column("day", "date"),
            *[Column(name, "kwh") for name in FLOWS],
            Column("self_consumption", "share"),
            Column("self_sufficiency", "share"),
            Column("hours", "number"),
            Column("complete_hours", "number"),
            COMPLETE,
        ),
    ),
}
# there only if the house has prices
OF_COSTS = {column.name for column in (*COSTS, CURRENCY)} | {"priced_days"}
