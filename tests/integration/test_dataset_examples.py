"""The datasets of docs/how-to/add-a-dataset.md on real servers."""

import pytest

from tests.conftest import House
from tests.docs.examples import EXAMPLES, LINES, archive, assert_rows


@pytest.mark.parametrize("name", ["influx1", "influx2"])
def test_the_points_become_the_rows(
    name: str, house: House, request: pytest.FixtureRequest
) -> None:
    """Written as they stand on the page, read as they are declared there."""
    server = request.getfixturevalue(name)
    server.create("examples")
    server.write_lines("examples", "\n".join(LINES).encode())
    house.environment |= server.environment("examples")
    archive(house)
    for system in EXAMPLES:
        assert_rows(house, system)
