"""A service that takes messages."""

from collections.abc import Generator

import pytest

from tests.messages.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Generator[Receiver]:
    """One that answers 200."""
    with receiving() as one:
        yield one
