"""Real servers for the tests, shared by a whole session; only with INTEGRATION_TESTS=1."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.servers import Influx1, Influx2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder unless they are asked for."""
    if os.environ.get("INTEGRATION_TESTS") == "1":
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs real servers; set INTEGRATION_TESTS=1"))


@pytest.fixture(scope="session")
def influx1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx1]:
    """An InfluxDB 1.x that asks for no password."""
    with Influx1(tmp_path_factory.mktemp("influx1")) as server:
        yield server


@pytest.fixture(scope="session")
def influx1_auth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx1]:
    """An InfluxDB 1.x that asks for user and password."""
    with Influx1(tmp_path_factory.mktemp("influx1-auth"), auth=True) as server:
        yield server


@pytest.fixture(scope="session")
def influx2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx2]:
    """An InfluxDB 2.x, with a token."""
    with Influx2(tmp_path_factory.mktemp("influx2")) as server:
        yield server
