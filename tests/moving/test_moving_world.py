"""Under a source that moves in every way, each answer is of a version that stood, or is refused."""

from itertools import cycle
from random import Random

import pytest
from moving import judged
from moving_data import QUESTIONS
from moving_moves import kinds_of
from moving_sources import BACKENDS
from moving_world import World

FEW_VALUES = range(2, 6)
TRIES = 100
"""Within a second of a move a question may be refused, and is then asked again."""


@pytest.fixture
def world(tmp_path):
    """Make worlds, and stop them."""
    made = []

    def make(backend, seed):
        made.append(World(tmp_path, backend, seed, FEW_VALUES))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_eight_clients_get_right_answers_while_every_kind_of_move_is_made(
    backend, world, moving_seed
):
    moving = world(backend, moving_seed)
    moving.calm_every, moving.restart_every = 8, 5
    report = moving.run(rounds=1)
    assert not judged(report), report
    assert report.found.answered > 100
    assert report.found.calm, "some were asked while nothing moved"
    assert report.restarts >= 2
    assert {"engine_cache", "engine_backend", "backend"} <= set(report.found.labels)


def until_answered(client, question):
    """Ask until there is an answer, and judge each."""
    return any(client.ask(question) for _ in range(TRIES))


@pytest.mark.parametrize("backend", BACKENDS)
def test_after_each_kind_of_move_every_question_is_answered_from_what_stands_there(backend, world):
    moving = world(backend, 8)
    client, names = moving.client(0), cycle(moving.source.files)

    def asked():
        for question in QUESTIONS:
            assert until_answered(client, question), moving.found.shown

    asked()
    for kind in kinds_of(backend):
        name = next(names)
        assert kind.move(moving.source, name, Random(kind.name)), kind
        moving.source.tidy()
        asked()
        assert not moving.found.shown, kind
    # What was kept of the versions before is there again after a restart, and none of it is told.
    moving.restart()
    moving.ask_everything()
    client.close()
    assert not moving.found.faults, moving.found.shown
