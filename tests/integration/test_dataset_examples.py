"""The datasets of docs/how-to/add-a-dataset.md on real servers."""

from tests.docs.examples import EXAMPLES, LINES, archive, assert_rows
from tests.house import House
from tests.integration.servers import Influx1, Influx2


def test_the_points_become_the_rows(server: Influx1 | Influx2, house: House) -> None:
    """Written as they stand on the page, read as they are declared there."""
    server.create("examples")
    server.write_lines("examples", "\n".join(LINES).encode())
    house.environment |= server.environment("examples")
    archive(house)
    for system in EXAMPLES:
        assert_rows(house, system)
