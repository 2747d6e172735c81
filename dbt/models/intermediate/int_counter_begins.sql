select
    source,
    min(date_jst) filter (counter = 'import') as import_begin_jst,
    min(date_jst) filter (counter = 'export') as export_begin_jst
from {{ ref('int_counter_days') }}
-- a counter that is always filled with 0.0 never spoke
where kwh is not null and (highest_kwh <> 0 or lowest_kwh <> 0)
group by source
