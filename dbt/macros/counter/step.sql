{# The rules of a step, on rows that hold the settings of their source: max_power_kw, counter_noise_kwh, counter_wrap_kwh. #}

{# What max_power_kw delivers from one time to another. Clocks and counters do not resolve less than a minute: a shorter time counts as one. #}
{% macro deliverable_kwh(from_utc, to_utc) -%}
    (max_power_kw * greatest(epoch({{ to_utc }} - {{ from_utc }}), 60) / 3600)
{%- endmacro %}

{# Whether the fall between two values is the counter's overflow: from its highest tenth through counter_wrap_kwh, by what could be delivered. #}
{% macro is_wrap(from_utc, from_kwh, to_utc, to_kwh) -%}
    coalesce(
        {{ to_kwh }} < {{ from_kwh }} and {{ from_kwh }} >= 0.9 * counter_wrap_kwh and {{ to_kwh }} >= 0
        and {{ to_kwh }} + counter_wrap_kwh - {{ from_kwh }} <= {{ deliverable_kwh(from_utc, to_utc) }} + 1e-9,
        false
    )
{%- endmacro %}

{# Whether one counter may have shown both values: a rise that could be delivered, a fall that is only noise, or a wrap. #}
{% macro can_follow(from_utc, from_kwh, to_utc, to_kwh) -%}
    (
        (
            {{ to_kwh }} - {{ from_kwh }} >= -counter_noise_kwh - 1e-9
            and {{ to_kwh }} - {{ from_kwh }} <= {{ deliverable_kwh(from_utc, to_utc) }} + 1e-9
            and ({{ to_utc }} > {{ from_utc }} or {{ to_kwh }} - {{ from_kwh }} <= counter_noise_kwh + 1e-9)
        )
        or {{ is_wrap(from_utc, from_kwh, to_utc, to_kwh) }}
    )
{%- endmacro %}

{# What a step is: first (no step), rise, noise, wrap, reset (began again from zero) or swap (another meter). #}
{% macro step_kind(from_utc, from_kwh, to_utc, to_kwh) -%}
    case
        when {{ from_utc }} is null then 'first'
        when {{ can_follow(from_utc, from_kwh, to_utc, to_kwh) }}
            then
                case
                    when {{ to_kwh }} >= {{ from_kwh }} then 'rise'
                    when {{ is_wrap(from_utc, from_kwh, to_utc, to_kwh) }} then 'wrap'
                    else 'noise'
                end
        when
            {{ to_kwh }} < {{ from_kwh }} and {{ to_kwh }} >= 0
            and {{ to_kwh }} <= {{ deliverable_kwh(from_utc, to_utc) }} + 1e-9
            then 'reset'
        else 'swap'
    end
{%- endmacro %}

{# The energy of a step of that kind. #}
{% macro step_kwh(kind, from_kwh, to_kwh) -%}
    case {{ kind }}
        when 'rise' then {{ to_kwh }} - {{ from_kwh }}
        when 'wrap' then {{ to_kwh }} + counter_wrap_kwh - {{ from_kwh }}
        when 'reset' then {{ to_kwh }}
        when 'first' then null
        else 0
    end
{%- endmacro %}
