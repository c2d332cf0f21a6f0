"""kill -9 at any moment: what a run has been told is on the disk is there afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from a3s_cli.messages import Message
from a3s_cli.sessions.store import Store

from ..support import descriptors, processes
from ..support.a3s import proofs
from . import talk

#: Turns of each run, beside its answer.
TURNS = 3


def expected(runs: int) -> list[Message]:
    """What the writer says in so many runs."""
    said: list[Message] = []
    for number in range(runs):
        said.append(talk.prompt(f"prompt {number}"))
        for turn in range(number * TURNS, (number + 1) * TURNS):
            said += talk.turn(turn)
        said.append(talk.answer(f"answer {number}"))
    return said


def writer(store: Store, name: str, first: int) -> Callable[[Callable[[], None]], None]:
    """Continue the session until we are killed, and report every turn that is saved."""

    def write(kept: Callable[[], None]) -> None:
        file, _ = store.resume(name, "/w")
        number = first
        while True:
            asked, said = f"prompt {number}", f"answer {number}"
            talk.run(file, asked, said, turns=TURNS, first=number * TURNS, kept=kept)
            number += 1

    return write


def killed(store: Store, name: str, first: int, chance: random.Random) -> int:
    """Kill a writer at a moment of chance; give how many turns it was told are kept."""
    child, told = talk.forked(writer(store, name, first))
    kept = len(descriptors.piece(told, 1)) if chance.random() < 0.8 else 0
    time.sleep(chance.random() * 0.005)
    os.kill(child, signal.SIGKILL)
    processes.reap(child)
    kept += len(descriptors.whole(told))
    os.close(told)
    return kept


def test_killed_at_any_moment(tmp_path: Path) -> None:
    store, chance = talk.store(tmp_path), random.Random(11)
    file = store.create("/w", id="session")
    before = talk.run(file, "prompt 0", "answer 0", turns=TURNS, first=0)
    file.close()
    name, data = file.id, file.path.read_bytes()
    for _ in range(proofs(200)):
        store.path(name).write_bytes(data)
        kept = killed(store, name, 1, chance)

        file, past = store.resume(name, "/w")
        runs, turns = divmod(kept, TURNS + 1)
        least = len(before) + runs * (2 + 2 * TURNS) + (1 + 2 * turns if turns else 0)
        said = past.messages
        same = talk.known(said, expected(2 + runs))
        assert same >= least, (same, least)
        # What one turn is longer than what was told can have been written before it was told.
        assert same <= least + 3
        assert talk.valid(said)
        assert {notice.code for notice in past.notices} <= {"session_interrupted"}
        more = talk.run(file, "go on", "gone on", turns=0)
        file.close()
        assert store.past(name).messages == [*said, *more]


def test_one_session_that_is_killed_again_and_again(tmp_path: Path) -> None:
    store, chance = talk.store(tmp_path), random.Random(13)
    file = store.create("/w", id="it")
    talk.run(file, "prompt 0", "answer 0")
    file.close()
    length = 0
    for first in range(1, 1 + proofs(40)):
        killed(store, "it", first * 100, chance)
        past = store.past("it")
        assert talk.valid(past.messages) and len(past.messages) >= length
        length = len(past.messages)
        assert {notice.code for notice in past.notices} <= {"session_interrupted"}
    with contextlib.closing(store.resume("it", "/w")[0]) as file:
        assert file.failure is None
    summed = store.summary("it")
    assert summed is not None and summed.runs is not None and summed.runs > proofs(40) // 2
