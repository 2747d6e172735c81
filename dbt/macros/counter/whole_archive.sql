{# The sequences of counter_steps() that cover everything: a row per source and counter, from the first reading to the last. #}
{% macro whole_archive() %}
    select
        row_number() over (order by source, counter) as seq,
        source,
        counter,
        '-infinity'::timestamp as load_from_utc,
        'infinity'::timestamp as load_to_utc,
        '-infinity'::timestamp as write_from_utc,
        'infinity'::timestamp as write_to_utc
    from (select distinct source from {{ ref('stg_meter_readings') }})
    cross join (values ('import'), ('export')) as counters (counter)
{% endmacro %}
