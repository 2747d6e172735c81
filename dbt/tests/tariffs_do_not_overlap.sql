-- No moment has two prices: tried on every quarter of an hour of a week, for each pair of lines that are valid on a common day.
with tariffs as ({{ tariffs() }}),

week as (

    select unnest(generate_series(timestamp '2026-11-02', timestamp '2026-11-08 23:45', interval 15 minutes)) as at_jst

),

lines as (

    select
        row_number() over () as line,
        * exclude (valid_from, valid_to),
        valid_from as really_from,
        valid_to as really_to,
        date '2026-11-02' as valid_from,
        null::date as valid_to
    from tariffs

),

prices as (

    select
        tariffs.*,
        week.at_jst
    from lines as tariffs
    inner join week on {{ is_valid_at('week.at_jst') }}

)

select
    a.line,
    b.line as other_line,
    a.at_jst
from prices as a
inner join prices as b
    on
        a.source = b.source and a.at_jst = b.at_jst and a.line < b.line
        and a.really_from <= coalesce(b.really_to, date '9999-12-31')
        and b.really_from <= coalesce(a.really_to, date '9999-12-31')
