"""Real servers for the tests, shared by a whole session. Only with INTEGRATION_TESTS=1."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.servers import Influx1, Influx2, Influx113

# the fixtures by the version of their server; `pytest -k 1.13` runs the tests of one
SERVERS = {
    "1.6": "influx16",
    "1.13": "influx113",
    "2.7": "influx2",
    "1.6 with a password": "influx16_auth",
    "1.13 with a password": "influx113_auth",
}


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder. Without INTEGRATION_TESTS=1 they are skipped."""
    is_asked_for = os.environ.get("INTEGRATION_TESTS") == "1"
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.integration)
        if not is_asked_for:
            item.add_marker(pytest.mark.skip(reason="needs real servers; set INTEGRATION_TESTS=1"))


@pytest.fixture(scope="session")
def influx16(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx1]:
    """An InfluxDB 1.6 that asks for no password."""
    with Influx1(tmp_path_factory.mktemp("influx16")) as server:
        yield server


@pytest.fixture(scope="session")
def influx16_auth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx1]:
    """An InfluxDB 1.6 that asks for user and password."""
    with Influx1(tmp_path_factory.mktemp("influx16-auth"), auth=True) as server:
        yield server


@pytest.fixture(scope="session")
def influx113(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx1]:
    """An InfluxDB 1.13 that asks for no password."""
    with Influx113(tmp_path_factory.mktemp("influx113")) as server:
        yield server


@pytest.fixture(scope="session")
def influx113_auth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx1]:
    """An InfluxDB 1.13 that asks for user and password."""
    with Influx113(tmp_path_factory.mktemp("influx113-auth"), auth=True) as server:
        yield server


@pytest.fixture(scope="session")
def influx2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx2]:
    """An InfluxDB 2.7, with a token."""
    with Influx2(tmp_path_factory.mktemp("influx2")) as server:
        yield server


@pytest.fixture(scope="session", params=["1.6", "1.13"])
def version1(request: pytest.FixtureRequest) -> str:
    """Each version of InfluxDB 1.x that the tests run on."""
    return request.param


@pytest.fixture(scope="session")
def influx1(request: pytest.FixtureRequest, version1: str) -> Influx1:
    """Each InfluxDB 1.x, without a password."""
    return request.getfixturevalue(SERVERS[version1])


@pytest.fixture(scope="session")
def influx1_auth(request: pytest.FixtureRequest, version1: str) -> Influx1:
    """Each InfluxDB 1.x, with a password."""
    return request.getfixturevalue(SERVERS[f"{version1} with a password"])


@pytest.fixture(params=["1.6", "1.13", "2.7"])
def server(request: pytest.FixtureRequest) -> Influx1 | Influx2:
    """Each server, or those that the test is parametrised with, by the names of SERVERS."""
    return request.getfixturevalue(SERVERS[request.param])
