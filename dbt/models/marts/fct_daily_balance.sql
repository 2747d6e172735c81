with sums as (

    select
        date_jst,
        {% for column in energies_of_balance() -%}
            if(count({{ column }}) = count(*), sum({{ column }}), null) as {{ column }},
        {% endfor -%}
        sum(estimated_kwh) as estimated_kwh,
        count(*)::int as hours,
        count_if(is_complete)::int as complete_hours
    from {{ ref('fct_hourly_balance') }}
    group by date_jst

)

select
    date_jst,
    {% for column in energies_of_balance() -%}
        {{ column }},
    {% endfor -%}
    estimated_kwh,
    {{ self_consumption('produced_kwh', 'solar_to_grid_kwh') }} as self_consumption,
    {{ self_sufficiency('consumed_kwh', 'grid_to_house_kwh') }} as self_sufficiency,
    hours,
    complete_hours,
    complete_hours = hours as is_complete
from sums
