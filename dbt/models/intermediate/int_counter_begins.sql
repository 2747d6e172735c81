select
    source,
    min(begin_jst) filter (counter = 'import') as import_begin_jst,
    min(begin_jst) filter (counter = 'export') as export_begin_jst
from {{ ref('int_register_begins') }}
group by source
