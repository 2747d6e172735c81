with sums as (

    select
        date_trunc('month', date_jst)::date as month_jst,
        {% for column in energies_of_balance() -%}
            sum({{ column }}) filter (consumed_kwh is not null) as {{ column }},
        {% endfor -%}
        sum(estimated_kwh) filter (consumed_kwh is not null) as estimated_kwh,
        count(*)::int as days,
        count(consumed_kwh)::int as known_days,
        count_if(is_complete)::int as complete_days
    from {{ ref('fct_daily_balance') }}
    group by 1

)

select
    month_jst,
    {% for column in energies_of_balance() -%}
        {{ column }},
    {% endfor -%}
    estimated_kwh,
    {{ self_consumption('produced_kwh', 'solar_to_grid_kwh') }} as self_consumption,
    {{ self_sufficiency('consumed_kwh', 'grid_to_house_kwh') }} as self_sufficiency,
    days,
    known_days,
    complete_days,
    complete_days = day(last_day(month_jst)) as is_complete
from sums
