{# The quarter of an hour (UTC) that a time lies in. Local days and hours of every zone begin with one. #}
{% macro quarter_of(at_utc) -%}
    time_bucket(interval 15 minutes, {{ at_utc }})
{%- endmacro %}

{#
    A step's energy, spread evenly over its time and given to the quarters of an hour that it covers, to the microsecond. Of a step longer than max_gap_s it
    counts as estimated too. Reads `steps`, makes `shares`.
#}
{% macro spread_over_quarters() %}
covered as (

    select
        *,
        {{ quarter_of('from_utc') }} as first_quarter_utc,
        {{ settings_of_sequence(['max_gap_s']) }},
        -- a step that ends with a quarter has no part in the next one
        {{ quarter_of('greatest(from_utc, at_utc - interval 1 microsecond)') }} as last_quarter_utc
    from steps
    where from_utc is not null

),

shares as (

    select
        seq,
        first_quarter_utc as quarter_utc,
        step_kwh as kwh,
        if(step_s > max_gap_s, step_kwh, 0) as estimated_kwh,
        step_s
    from covered
    where first_quarter_utc = last_quarter_utc
    union all
    select
        seq,
        quarter_utc,
        step_kwh * share as kwh,
        if(step_s > max_gap_s, step_kwh * share, 0) as estimated_kwh,
        step_s
    from (
        select
            *,
            epoch(least(at_utc, quarter_utc + interval 15 minutes) - greatest(from_utc, quarter_utc)) / step_s as share
        from (
            select
                *,
                unnest(generate_series(first_quarter_utc, last_quarter_utc, interval 15 minutes)) as quarter_utc
            from covered
            where first_quarter_utc < last_quarter_utc
        )
    )

)
{%- endmacro %}
