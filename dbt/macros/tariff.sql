{# The seed of the tariffs; the same without a line where `dbt run` came before `dbt seed`. #}
{% macro tariffs() -%}
    {%- if has_tariffs() -%}
        select * from {{ ref('tariffs') }}
    {%- else -%}
        select {% for name, type in {
            'source': 'varchar', 'valid_from': 'date', 'valid_to': 'date', 'weekdays': 'varchar', 'from_time': 'varchar', 'to_time': 'varchar',
            'import_price': 'double', 'feed_in_price': 'double', 'currency': 'varchar'
        }.items() -%} null::{{ type }} as {{ name }}{{ ', ' if not loop.last }} {%- endfor %}
        where false
    {%- endif -%}
{%- endmacro %}

{# Whether the seed is in the database. #}
{% macro has_tariffs() -%}
    {%- set seed = ref('tariffs') -%}
    {{ return(load_relation(seed) is not none) }}
{%- endmacro %}

{# Whether a line of the tariffs holds at a local time: by date (both days included), day of the week and time of day; from 22:00 to 06:00 is the night. #}
{% macro is_valid_at(at_jst) -%}
    {%- set time = "strftime(" ~ at_jst ~ ", '%H:%M')" -%}
    (
        {{ at_jst }}::date >= tariffs.valid_from
        and ({{ at_jst }}::date <= tariffs.valid_to or tariffs.valid_to is null)
        and contains(tariffs.weekdays, isodow({{ at_jst }})::varchar)
        and case
            when tariffs.from_time < tariffs.to_time then {{ time }} >= tariffs.from_time and {{ time }} < tariffs.to_time
            else {{ time }} >= tariffs.from_time or {{ time }} < tariffs.to_time
        end
    )
{%- endmacro %}
