-- No line is without a moment: its last day is not before its first, and it is not from midnight at the end of a day to the one at its beginning.
with tariffs as ({{ tariffs() }})

select
    source,
    valid_from,
    valid_to,
    from_time,
    to_time
from tariffs
where valid_to < valid_from or (from_time = '24:00' and to_time = '00:00')
