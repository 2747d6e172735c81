with quarters as (

    select
        *,
        quarter_jst::date as date_jst,
        quarter_jst + interval 15 minutes as end_jst,
        -- known to its end: the next one is known too, or its counter stood still all the time
        coalesce(
            quarter_utc + interval 15 minutes
            = lead(quarter_utc) over (partition by source, counter order by quarter_utc),
            false
        )
        or (readings = 0 and longest_step_s = 0) as is_whole
    from {{ ref('int_quarter_energy') }}
    where
        kwh is not null
        and quarter_jst::date > (select max(date_jst) - 7 from {{ ref('fct_daily_energy') }})

),

measured as (

    select
        quarters.*,
        -- the part of the quarter that is known, in s: the first and last reading may lie within it
        date_diff(
            'microsecond',
            greatest(quarter_jst, dim_source.first_reading_jst),
            if(is_whole, end_jst, least(end_jst, dim_source.last_reading_jst))
        ) / 1e6 as known_s,
        readings > 0
        or longest_step_s <= 2 * if(
            counter = 'import', dim_source.import_interval_s, dim_source.export_interval_s
        ) as is_measured
    from quarters
    inner join {{ ref('dim_source') }} as dim_source using (source)

)

select
    date_jst,
    source,
    quarter_utc,
    quarter_jst,
    sum(3.6e6 * kwh / known_s) filter (counter = 'import') as import_w,
    sum(3.6e6 * kwh / known_s) filter (counter = 'export') as export_w,
    bool_and(is_measured) as is_measured
from measured
where known_s > 0
group by date_jst, source, quarter_utc, quarter_jst
