"""When questions to one server run side by side, and when one after the other."""

import threading

from homeiot_batch.sources.influxdb.turns import Turns


def has_turn(turns: Turns, within_s: float) -> bool:
    """Whether another thread gets a turn within the time."""
    taken = threading.Event()

    def take() -> None:
        with turns.taken():
            taken.set()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return taken.wait(within_s)


def test_questions_run_side_by_side() -> None:
    """At first nobody waits for anybody."""
    turns = Turns(longest_wait_s=60)
    with turns.taken(), turns.taken():
        assert has_turn(turns, within_s=60)


def test_questions_run_one_after_the_other() -> None:
    """Once in line, a question waits for the end of all that run, also of those from before."""
    turns = Turns(longest_wait_s=60)
    with turns.taken():
        turns.form_a_line()
        assert not has_turn(turns, within_s=0.1)
    assert has_turn(turns, within_s=60)


def test_a_question_that_never_ends() -> None:
    """An answer that nobody reads to its end holds the others up for a while only."""
    turns = Turns(longest_wait_s=0.05)
    turns.form_a_line()
    with turns.taken():
        assert has_turn(turns, within_s=60)


def test_a_question_that_fails_ends_its_turn() -> None:
    """An error ends the turn as the end of the answer does."""
    turns = Turns(longest_wait_s=60)
    turns.form_a_line()
    try:
        with turns.taken():
            raise ValueError
    except ValueError:
        assert has_turn(turns, within_s=60)
