{#
    No hour comes twice and no flow is negative. The flows add up to what the meters measured, to a
    millionth of a kWh. What is unexplained is the only difference.
#}
{% test sound_balance(model) %}
select * from {{ model }}
qualify
    count(*) over (partition by hour_start_utc) > 1
    or least({{ energies_of_balance() | join(', ') }}) < -1e-9
    or abs(produced_kwh - solar_to_house_kwh - solar_to_battery_kwh - solar_to_grid_kwh) > 1e-6
    or abs(consumed_kwh - solar_to_house_kwh - battery_to_house_kwh - grid_to_house_kwh) > 1e-6
    or abs(
        (imported_kwh - grid_to_house_kwh - grid_to_battery_kwh)
        + (discharged_kwh - battery_to_house_kwh - battery_to_grid_kwh)
        - (exported_kwh - solar_to_grid_kwh - battery_to_grid_kwh)
        - (charged_kwh - grid_to_battery_kwh - solar_to_battery_kwh)
    ) > unexplained_kwh + 1e-6
{% endtest %}
