with recursive {{ counter_steps(whole_archive()) }}

select
    sequences.source,
    sequences.counter,
    at_utc,
    reading_kwh,
    kind,
    from_utc,
    step_kwh
from steps
inner join sequences using (seq)
