"""The order of the files: those that take long come first, so that no worker has one at the end.

pytest-xdist gives a worker a whole file, in this order with --no-loadscope-reorder.
"""

import pytest

# of tests/, the longest first
LONG = ("soak", "integration", "workflow", "dbt", "commands", "examples", "docs", "report")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests by their folders. Those of a folder stay as they are."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(config.rootpath / "tests").parts[0]
        return LONG.index(folder) if folder in LONG else len(LONG)

    items.sort(key=place)
