{# The days that tell what is usual for a source or counter: this one and the 27 before it. #}
{% macro last_four_weeks(of='source') -%}
    (partition by {{ of }} order by date_jst rows between 27 preceding and current row)
{%- endmacro %}

{# Length of a local day, in s: 23, 24 or 25 hours, or another. #}
{% macro day_length_s(date) -%}
    epoch({{ first_midnight(date ~ ' + 1') }} - {{ first_midnight(date) }})
{%- endmacro %}

{# Share of a local day's expected readings, from 0 to 1. NULL where no usual interval is known. #}
{% macro coverage(readings, usual_step_s, date) -%}
    case
        when {{ usual_step_s }} is not null
            then least(1, {{ readings }} * {{ usual_step_s }} / {{ day_length_s(date) }})
    end
{%- endmacro %}

{#
    Whether a day's numbers can be relied on: accepted readings all through the day, no gap, and a
    counter that neither began again nor fell nor was swapped. Glitches are left out anyway.
#}
{% macro is_complete(coverage, longest_gap_s, falls) -%}
    coalesce(
        {{ coverage }} >= 0.99 and {{ longest_gap_s }} <= {{ setting('max_gap_s') }}
        {%- for count in falls %} and {{ count }} = 0 {%- endfor %},
        false
    )
{%- endmacro %}
