select
    source,
    valid_from,
    valid_to,
    weekdays,
    from_time,
    to_time,
    import_price,
    feed_in_price,
    currency
from {{ source('batch', 'tariffs') }}
