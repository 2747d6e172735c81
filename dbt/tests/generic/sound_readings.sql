{#
    Every reading has a time and a meter, and no value is infinite or not a number. The test looks
    at the days from the first one that was loaded since the last build. In a full refresh it looks
    at all.
#}
{% test sound_readings(model) %}
{{ config(meta={
    'what_to_do': 'correct these readings in the source, and read their days again: '
    ~ 'homeiot run --date YYYY-MM-DD --force'
}) }}
select * from {{ model }} where ts_utc is null
union all
select * from {{ model }}
where
    (
        ts_jst is null or source is null or ingested_at is null
        or not isfinite(instant_power_w)
        or not isfinite(energy_import_kwh)
        or not isfinite(energy_export_kwh)
    )
    {% if not flags.FULL_REFRESH %} and ts_utc >= ({{ loaded_since() }}) {% endif %}
{% endtest %}
