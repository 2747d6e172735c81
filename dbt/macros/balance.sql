{# The house's balance: how much of its energy came from where and went where. #}

{# The columns of a balance that are in kWh and add up over time. #}
{% macro energies_of_balance() -%}
    {{ return([
        'imported_kwh', 'exported_kwh', 'produced_kwh', 'charged_kwh', 'discharged_kwh',
        'consumed_kwh', 'solar_to_house_kwh', 'solar_to_battery_kwh', 'solar_to_grid_kwh',
        'battery_to_house_kwh', 'battery_to_grid_kwh', 'grid_to_house_kwh', 'grid_to_battery_kwh',
        'unexplained_kwh'
    ]) }}
{%- endmacro %}

{# The sum of the rows of a part. 0 without any row, NULL where one of them is not known. #}
{% macro sum_of_part(part) -%}
    if(
        bool_or(part = '{{ part }}' and kwh is null),
        null,
        coalesce(sum(kwh) filter (part = '{{ part }}'), 0)
    )
{%- endmacro %}

{# The share of the sun's energy that was not sold, from 0 to 1. NULL without any. #}
{% macro self_consumption(produced, solar_to_grid) -%}
    ({{ produced }} - {{ solar_to_grid }}) / nullif({{ produced }}, 0)
{%- endmacro %}

{# The share of the house's consumption that was not bought, from 0 to 1. NULL without any. #}
{% macro self_sufficiency(consumed, grid_to_house) -%}
    1 - {{ grid_to_house }} / nullif({{ consumed }}, 0)
{%- endmacro %}
