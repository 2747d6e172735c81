-- What a source's day costs is one sum: lines that hold on a common day are in one currency. Days of the week come again after seven days.
with tariffs as ({{ tariffs() }}),

lines as (

    select
        row_number() over () as line,
        *
    from tariffs

),

days as (

    select
        a.line,
        b.line as other_line,
        a.weekdays,
        b.weekdays as other_weekdays,
        unnest(
            generate_series(
                greatest(a.valid_from, b.valid_from),
                least(a.valid_to, b.valid_to, greatest(a.valid_from, b.valid_from) + 6),
                interval 1 day
            )
        ) as date_jst
    from lines as a
    inner join lines as b on a.source = b.source and a.line < b.line and a.currency is distinct from b.currency

)

select
    line,
    other_line,
    date_jst
from days
where contains(weekdays, isodow(date_jst)::varchar) and contains(other_weekdays, isodow(date_jst)::varchar)
