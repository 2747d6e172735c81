{#
    The versions of days that the incremental models were made from, and those that there are now.

    The version of a day is its load, for the models that read the raw table. For the models that
    read judged counters it is the build that last judged something of the day.
#}

{# Relation of the versions that the incremental models were made from. #}
{% macro built_loads() -%}
    {{ return(api.Relation.create(
        database=target.database, schema=target.schema, identifier='built_loads'
    )) }}
{%- endmacro %}

{# Relation of the builds that last judged something of the local days. #}
{% macro rebuilt_days() -%}
    {{ return(api.Relation.create(
        database=target.database, schema=target.schema, identifier='rebuilt_days'
    )) }}
{%- endmacro %}

{% macro create_built_loads() %}
    create table if not exists {{ built_loads() }} (model varchar, dt date, load_id varchar);
    create table if not exists {{ rebuilt_days() }} (dt date, load_id varchar)
{% endmacro %}

{#
    The loads in the raw tables, by local day. Other settings, meters or rules make another version.
    Where the archive was cut by former zone rules, a local day has readings of two loads.
#}
{% macro present_loads() %}
    {%- set names = [
        'max_power_kw', 'counter_noise_kwh', 'counter_wrap_kwh', 'glitch_readings', 'max_gap_s',
        'direction', 'export_direction', 'unit', 'sources'
    ] -%}
    {#- count up `rules` when the rules change: the next build makes every day anew -#}
    {%- set settings = {'rules': 5} -%}
    {%- for name in names -%} {%- do settings.update({name: var(name)}) -%} {%- endfor -%}
    {%- if has_declared_meters() -%}
        {%- do settings.update({'registers': var('registers'), 'datasets': var('datasets')}) -%}
    {%- endif -%}
    {%- if (var('sources') or {}).values() | selectattr('reports', 'defined') | list -%}
        {#- count it up when the rules of registers on change do -#}
        {%- do settings.update({'on_change': 2}) -%}
    {%- endif -%}
    {%- set dates = ['dt', local_time('first_utc') ~ '::date', local_time('last_utc') ~ '::date'] %}
    select
        dt,
        string_agg(load_id, '+' order by load_id)
        || '-{{ local_md5(tojson(settings, sort_keys=true)) }}' as load_id
    from (
        {%- for date in dates %}
            select
                {{ date }} as dt,
                load_id
            from {{ source('batch', 'loads') }}
            where dataset in ({{ literals(var('datasets')) }})
            {{ 'union' if not loop.last }}
        {%- endfor %}
    )
    where dt is not null
    group by dt
{% endmacro %}

{# The days of which counters were judged, as the builds left them. #}
{% macro present_judged() %}
    select
        dt,
        load_id
    from {{ rebuilt_days() }}
{% endmacro %}

{# The days of int_quarter_energy, which also depend on how many registers are a sum. #}
{% macro present_quarters() %}
    select
        dt,
        load_id
        {%- if summed_sources() %}
            || '-{{ local_md5(tojson(var('registers'), sort_keys=true)) }}' as load_id
        {%- endif %}
    from ({{ present_judged() }})
{% endmacro %}

{# The same for what also depends on the first day of each counter. #}
{% macro present_quarters_and_begins() %}
    {{ versions_with_content_of(present_quarters(), ref('int_counter_begins')) }}
{% endmacro %}

{# The same for what also depends on the meters of the house's balance. #}
{% macro present_quarters_and_house() %}
    {{ versions_with_content_of(present_quarters(), ref('int_house_counters')) }}
{% endmacro %}

{# The same for what also depends on the tariffs. #}
{% macro present_priced_quarters() %}
    {{ versions_with_content_of(present_quarters_and_begins(), ref('tariffs')) }}
{% endmacro %}

{# Versions that differ from the given ones whenever the content of a small table does. #}
{% macro versions_with_content_of(versions, relation) %}
    select
        dt,
        load_id || '-' || coalesce(
            (
                select md5(string_agg(line::varchar, ' ' order by line::varchar))
                from {{ relation }} as line
            ),
            ''
        ) as load_id
    from ({{ versions }})
{% endmacro %}
