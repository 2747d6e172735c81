"""Fields and tags may have any name that can be printed."""

from datetime import datetime

from tests.house import House

CONFIG = """\
datasets:
  heat:
    measurement: heat pump
    tags: {Room Name: none, level: ground, 'a,b': x}
    fields: {Total Power: double, event: integer, 'say "hi"': boolean, 部屋: string, 'k=v': double,
             dataset: double, step: double, '{x}': double, "it's": double, '50%': double}
"""
NOON = 1762657200 * 10**9  # 2025-11-09 12:00 in Japan


def test_names_of_any_letters(house: House) -> None:
    """Blanks, quotes, and the names of a log line's own keys: archived, loaded, read again."""
    (house.folder / "heat.yaml").write_text(CONFIG)
    house.export(
        rf'heat\ pump,Room\ Name=attic,level=2,a\,b=y Total\ Power=1.5,event=7i,say\ "hi"=true,'
        rf'部屋="居間",k\=v=2.5,dataset=3.5,step=4.5,{{x}}=5.5,it\'s=6.5,50%=7.5 {NOON}'.replace(
            r"\'", "'"
        ),
        rf"heat\ pump Total\ Power=8.5 {NOON + 1000}",
        f"power instant_power_w=1 {NOON}",
    )
    a_day = ("--configfile", "heat.yaml", "--config", "start=2025-11-09", "end=2025-11-09")
    for again in ((), ("--forcerun", "extract")):
        outcome = house.snakemake("--until", "load", *again, *a_day)
        assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    at = (datetime(2025, 11, 9, 3), datetime(2025, 11, 9, 12))
    later = tuple(wall.replace(microsecond=1) for wall in at)
    values = (1.5, 7, True, "居間", 2.5, 3.5, 4.5, 5.5, 6.5, 7.5)
    assert house.rows("heat") == [
        (*at, "attic", "2", "y", *values),
        (*later, "none", "ground", "x", 8.5, *[None] * 9),
    ]
