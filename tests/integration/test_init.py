"""`homeiot init` on real servers: it writes what a run accepts, or says in a line why not."""

import gzip
from collections.abc import Iterable
from itertools import batched

import pytest
import yaml

from tests.examples.make import EXAMPLES, HEADER, readings_file
from tests.house import Checkout, Outcome
from tests.integration.servers import Influx1, Influx2, free_port
from tests.setup_house.houses import (
    DSMR,
    EVCC,
    HOME_ASSISTANT,
    TELEGRAF,
    One,
    counter,
    entity,
    lines,
    named,
)
from tests.setup_house.test_examples import run_and_check

NOW = "2026-11-24T08:00:00+09:00"


def written(server: Influx1 | Influx2, bucket: str, house: Iterable[One]) -> dict[str, str]:
    """The environment of a bucket that holds the house."""
    server.create(bucket)
    server.write_lines(bucket, "\n".join(lines(house)).encode())
    return server.environment(bucket)


def init(checkout: Checkout, *options: str) -> Outcome:
    """Run `homeiot init` in the checkout."""
    return checkout.python("homeiot_batch", "init", *options, "--config", f"now={NOW}")


@pytest.mark.parametrize("server", ["1.6", "2.7"], indirect=True)
def test_a_server_is_told_as_its_export(server: Influx1 | Influx2, checkout: Checkout) -> None:
    """Every house at once. Both say the same of it, and the next run is told."""
    house = [*HOME_ASSISTANT, *EVCC, *DSMR, *TELEGRAF, named("states", "freezer", "Wh", 9)]
    old = f"{entity('kWh', 'old_meter')} value=3 1790000000000000000"
    checkout.environment |= written(server, "every_house", house)
    server.write_lines("every_house", old.encode())
    of_server = init(checkout, "--print")
    export = checkout.folder / "house.lp"
    export.write_text("\n".join([old, *lines(house)]) + "\n")
    checkout.environment["INFLUX_URL"] = str(export)
    of_export = init(checkout, "--print")
    assert (of_server.code, of_export.code) == (0, 0)
    first = "archive_start: 2026-11-21 # the first day with readings\n"
    assert first in of_server.stderr
    assert "old_meter value of kWh: silent since 2026-09-21 14h UTC, last 3\n" in of_server.stderr
    assert of_server.stderr.replace(first, "").split("next: ")[0].replace(
        "retention: policy 'autogen' keeps readings for ever\n", ""
    ) == of_export.stderr.split("next: ")[0].replace("retention: an export deletes nothing\n", "")
    assert of_server.stderr.endswith(
        "next: `homeiot run` archives 3 days, 2026-11-21 to 2026-11-23\n"
    )


def test_a_server_that_has_got_nothing_for_long(influx16: Influx1, checkout: Checkout) -> None:
    """The week before its newest reading is looked at, in the retention policy that is set."""
    influx16.create("old")
    influx16.query('CREATE RETENTION POLICY "long" ON "old" DURATION 5200w REPLICATION 1')
    old = [line.replace(" 179", " 169") for line in lines([counter(entity("kWh", "p1_import"), 5)])]
    influx16.write_lines("old", "\n".join(old).encode(), "long")
    influx16.write_lines("old", b"gas value=1 1795186800000000000")
    checkout.environment |= influx16.environment("old") | {"INFLUX_RETENTION_POLICY": "long"}
    outcome = init(checkout, "--print")
    assert outcome.code == 0
    assert "last 22.75 kWh, 2023-09-23 04h UTC" in outcome.stderr
    assert "gas" not in outcome.stderr
    assert "readings: since 2023-09-20\n" in outcome.stderr
    assert "retention: policy 'long' keeps 36400 days." in outcome.stderr


def refused(checkout: Checkout) -> str:
    """What `homeiot init` says, which fails in one line and leaves nothing."""
    outcome = init(checkout)
    assert outcome.code == 1
    assert outcome.stderr.count("\n") == 1
    assert not (checkout.folder / "data").exists()
    return outcome.stderr.removeprefix("error: ").rstrip("\n")


def test_a_server_that_cannot_be_read(
    influx2: Influx2, influx16_auth: Influx1, checkout: Checkout
) -> None:
    """Nothing there, another token, one that may only write, an unknown bucket, an empty one."""
    url = f"http://127.0.0.1:{free_port()}"
    checkout.environment |= {"INFLUX_URL": url}
    assert (
        refused(checkout) == f"{url} cannot be reached; check INFLUX_URL and that the server runs"
    )

    influx2.create("filled")
    influx2.write_lines("filled", b"power energy_import_kwh=1 1795000000000000000")
    checkout.environment |= influx2.environment("filled") | {"INFLUX_TOKEN": "wrong"}
    assert refused(checkout) == (
        "the server refuses the token (Unauthorized); set INFLUX_TOKEN (or INFLUX_TOKEN_FILE) to a "
        "token that may read the bucket"
    )
    checkout.environment["INFLUX_TOKEN"] = influx2.token("filled", "write")
    assert refused(checkout).startswith("the token is accepted, but sees no bucket: it may at most")
    checkout.environment |= influx2.environment("filled") | {"INFLUX_BUCKET": "filed"}
    assert refused(checkout).startswith("the token sees no bucket 'filed'; near it ")
    influx2.create("empty")
    checkout.environment |= influx2.environment("empty")
    assert refused(checkout) == (
        f"'empty' at {influx2.url} holds no readings yet; let your programs write into it first, "
        "or correct INFLUX_BUCKET"
    )
    influx16_auth.create("house")
    checkout.environment |= influx16_auth.environment("house") | {"INFLUX_PASSWORD": "wrong"}
    assert refused(checkout).endswith("to a user with READ on the database")


def questions(server: Influx1) -> int:
    """How many questions a server was asked since its start."""
    parts = server.request("GET", "/debug/vars")
    [asked] = [part["values"]["queryReq"] for name, part in parts.items() if "httpd" in name]
    return int(asked)


def test_three_thousand_entities(influx16: Influx1, checkout: Checkout) -> None:
    """A measurement for each: few questions, and a file of which a person can read each line."""
    times = [1795186800 + 3600 * hour for hour in range(30)]
    house = [
        f'sensor.e{number},domain=sensor,entity_id=e{number} value={hour % 7},a_str="x" {time}'
        for number in range(3_000)
        for hour, time in enumerate(times[::6])
    ]
    for hour, time in enumerate(times):
        house.append(f"kWh,domain=sensor,entity_id=p1_import value={hour} {time}")
    influx16.create("entities")
    influx16.write_lines("entities", "\n".join(f"{line}000000000" for line in house).encode())
    checkout.environment |= influx16.environment("entities")
    before = questions(influx16)
    outcome = init(checkout)
    assert outcome.code == 0, outcome.stderr
    assert questions(influx16) - before < 60
    text = (checkout.folder / "data/house/config.yaml").read_text()
    assert len(text.splitlines()) < 80
    assert "# - and 2960 more measurements: `homeiot init --print --all` lists them" in text
    assert list(yaml.safe_load(text)["meters"]) == ["grid"]


def test_a_thousand_registers(influx16: Influx1, checkout: Checkout) -> None:
    """A measurement for each: whether it is silent is asked of many at once, of each type."""
    text = 'unit_of_measurement_str="kWh"'
    house = []
    for number in range(1_000):
        series = f"sensor.e{number},domain=sensor,entity_id=e{number}"
        kind = "i" if number % 2 else ""
        house.append(f"{series} value=5{kind},{text} 1795186800000000000")
        house.append(f"{series}_old value={number}{kind} 1790000000000000000")
    house.append(f"{entity('kWh', 'p1_import')} value=5 1795186800000000000")
    influx16.create("registers")
    influx16.write_lines("registers", "\n".join(house).encode())
    checkout.environment |= influx16.environment("registers")
    before = questions(influx16)
    outcome = init(checkout, "--print", "--all")
    assert outcome.code == 0, outcome.stderr
    assert questions(influx16) - before < 60
    silent = [line for line in outcome.stderr.splitlines() if " silent since " in line]
    assert sorted(silent) == sorted(
        f"# - sensor e{number}_old value of sensor.e{number}: silent since 2026-09-21 14h UTC, "
        f"last {number}"
        for number in range(1_000)
    )


@pytest.mark.parametrize(
    ("server", "name"), [("1.6", "home_assistant"), ("2.7", "evcc")], indirect=["server"]
)
def test_an_example_house_on_a_server(
    server: Influx1 | Influx2, name: str, checkout: Checkout
) -> None:
    """`homeiot init`, then `homeiot run`: all days that the server has, and the report."""
    truth = EXAMPLES[name].truth()
    server.create(name)
    content = gzip.decompress(readings_file(name).read_bytes()).splitlines(keepends=True)
    for batch in batched(content[HEADER.count("\n") :], 50_000):
        server.write_lines(name, b"".join(batch))
    checkout.environment |= server.environment(name) | {"TZ": truth.plan.zone}
    now = "now=2026-10-27T08:00:00+01:00"
    said = checkout.python("homeiot_batch", "init", "--config", now).stderr
    next_command = "next: `homeiot run` archives 8 days, 2026-10-19 to 2026-10-26\n"
    assert said.endswith(next_command), said
    run_and_check(checkout, name, ["run"], "--config", now)
