"""A file that something has happened to: what can be read resumes, what cannot is named."""

from __future__ import annotations

import os
import random
from io import BytesIO
from pathlib import Path

import pytest

from a3s_cli.messages import Message
from a3s_cli.sessions.past import Past, Reading
from a3s_cli.sessions.store import Store

from ..support.a3s import proofs
from . import talk

CUT = "\n\n[This answer was cut: its line in the session's file cannot be read]"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return talk.store(tmp_path)


def written(store: Store) -> tuple[str, list[Message], list[bytes]]:
    """A session of two runs: its name, what was said, its lines."""
    file = store.create("/w")
    said = talk.run(file, "one?", "one.", turns=2)
    said += talk.run(file, "two?", "two.", turns=1, first=3)
    file.close()
    return file.id, said, file.path.read_bytes().splitlines(keepends=True)


def resumed(store: Store, name: str) -> Past:
    file, past = store.resume(name, "/w")
    assert file.failure is None
    file.close()
    return past


def steps(lines: list[bytes]) -> list[int]:
    """The places of the lines that hold the conversation."""
    return [place for place, line in enumerate(lines) if b'"session_messages"' in line]


def test_all_of_it(store: Store) -> None:
    name, said, _ = written(store)
    past = resumed(store, name)
    assert past == Past(said, frozenset({"c1", "c2", "c3"}), [])
    assert talk.valid(said)


def test_every_beginning_is_read(store: Store) -> None:
    """A kill can leave any of them: every step is known, and what was shown besides."""
    name, said, lines = written(store)
    whole = b"".join(lines)
    ends = [sum(map(len, lines[: place + 1])) for place in steps(lines)]
    for data in talk.beginnings(whole):
        past = Reading(store.path(name), store.spilled(name)).read(BytesIO(data))
        assert talk.valid(past.messages)
        complete = sum(end <= len(data) for end in ends)
        asked = any(b'"type":"start"' in line for line in data.splitlines(keepends=True)[:-1])
        assert talk.known(past.messages, said) >= max(complete, asked)
        told = "".join(one.text for one in past.messages)
        for words in ("turn 1", "turn 2", "turn 3"):
            shown = b'"type":"text_delta"' in data and f'"text":"{words}"}}\n'.encode() in data
            assert not shown or words in told
        torn = bool(data) and not data.endswith(b"\n")
        told = [notice.code for notice in past.notices]
        assert told == (["session_interrupted"] if torn or _open(data) else [])


def test_what_is_torn_is_cut_off(store: Store) -> None:
    name, _, lines = written(store)
    path, whole = store.path(name), b"".join(lines)
    for end in range(len(lines[0]), len(whole), 1 + 400 // proofs(20)):
        path.write_bytes(whole[:end])
        resumed(store, name)
        left, kept = path.read_bytes(), whole[: whole.rfind(b"\n", 0, end) + 1]
        assert left.startswith(kept)
        assert (b'"session_interrupted"' in left[len(kept) :]) == _open(kept)
        assert left.count(b"\n") == kept.count(b"\n") + _open(kept)
        assert resumed(store, name).notices == []


def _open(data: bytes) -> bool:
    """Whether the last run of these whole lines has no end."""
    return data.rfind(b'{"type":"start"') > data.rfind(b'{"type":"end"')


def test_what_follows_an_interruption(store: Store) -> None:
    name, said, lines = written(store)
    place = steps(lines)[-1]
    store.path(name).write_bytes(b"".join(lines[:place]) + lines[place][:40])
    file, past = store.resume(name, "/w")
    cut = talk.answer("two.\n\n[This answer was cut: the run was killed]")
    assert past.messages == [*said[:-1], cut]
    more = talk.run(file, "and now?", "now.", first=4)
    file.close()
    assert resumed(store, name) == Past(
        [*said[:-1], cut, *more], frozenset({"c1", "c2", "c3", "c4"}), []
    )


@pytest.mark.parametrize(
    "rubbish", [b"\n", b"{}x\n", b'{"type":\n', b"\xff\xfe\n", b"\0" * 99 + b"\n"]
)
def test_any_one_line_is_spoilt(store: Store, rubbish: bytes) -> None:
    name, said, lines = written(store)
    kept = steps(lines)
    for place in range(len(lines)):
        store.path(name).write_bytes(b"".join([*lines[:place], rubbish, *lines[place + 1 :]]))
        past = resumed(store, name)
        assert talk.valid(past.messages)
        lost = [notice.line for notice in past.notices if notice.code == "session_line_lost"]
        assert lost == [place + 1]
        if place not in kept:
            assert past.messages == said
        for message in past.messages:
            assert message in said or message.text in (f"one.{CUT}", f"two.{CUT}")


def test_a_prompt_that_is_lost_is_known_from_its_start(store: Store) -> None:
    name, said, lines = written(store)
    place = steps(lines)[6]
    assert b"two?" in lines[place]
    lines[place] = b"spoilt\n"
    store.path(name).write_bytes(b"".join(lines))
    assert resumed(store, name).messages == said


def test_a_response_that_is_lost_takes_its_results_along(store: Store) -> None:
    name, said, lines = written(store)
    lines[steps(lines)[1]] = b"spoilt\n"
    store.path(name).write_bytes(b"".join(lines))
    assert resumed(store, name).messages == said[:1] + said[3:]


def test_a_result_that_is_lost_is_known_from_its_event(store: Store) -> None:
    name, said, lines = written(store)
    lines[steps(lines)[2]] = b"spoilt\n"
    store.path(name).write_bytes(b"".join(lines))
    assert resumed(store, name).messages == said


def test_anything_at_all(store: Store) -> None:
    """Bytes flipped, cut out, doubled: what resumes is a valid conversation of what was said."""
    name, _, lines = written(store)
    whole, chance = b"".join(lines), random.Random(7)
    for _ in range(proofs(300)):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            begin, length = chance.randrange(len(data)), chance.choice([1, 1, 9, 300])
            change = chance.choice(
                [b"", os.urandom(length), bytes(data[begin : begin + length]) * 2]
            )
            data[begin : begin + length] = change
        store.path(name).write_bytes(data)
        assert talk.valid(resumed(store, name).messages)


def test_a_prompt_without_an_answer_is_remembered(store: Store) -> None:
    """As earlier versions have written it: nothing completed what had failed."""
    file = store.create("/w")
    said = talk.run(file, "one?", "one.")
    file.keep([talk.prompt("never answered")])
    file.keep([talk.prompt("two?")])
    file.keep([talk.answer("two.")])
    file.keep([talk.prompt("nor this")])
    file.close()
    none = talk.answer("[There was no answer: the run was killed]")
    asked, answered = talk.prompt("two?"), talk.answer("two.")
    told = [talk.prompt("never answered"), none, asked, answered, talk.prompt("nor this")]
    assert resumed(store, file.id).messages[:-1] == [*said, *told]


def test_a_turn_in_one_line(store: Store) -> None:
    """As earlier versions have written it."""
    file = store.create("/w")
    said = [talk.prompt("one?"), *talk.turn(1), talk.answer("one.")]
    for step in (said[:1], said[1:3], said[3:]):
        file.keep(step)
    file.close()
    assert resumed(store, file.id).messages == said


def test_a_conversation_that_was_compacted(store: Store) -> None:
    file = store.create("/w")
    talk.run(file, "one?", "one.")
    short = [talk.prompt("summary"), talk.answer("go on")]
    file.replace(short)
    more = talk.run(file, "two?", "two.", first=2)
    file.close()
    assert resumed(store, file.id).messages == [*short, *more]


def test_a_message_that_is_too_long_for_a_line(store: Store) -> None:
    file = store.create("/w")
    said = talk.run(file, "é" * 50_000, "x" * 100_000)
    file.close()
    assert max(map(len, file.path.read_bytes().splitlines())) < 64 * 1024 - 1
    assert resumed(store, file.id).messages == said
    for one in file.spilled.iterdir():
        one.write_bytes(b"changed")
    past = resumed(store, file.id)
    # What the events tell of both is left.
    assert [message.role for message in past.messages[:2]] == ["user", "assistant"]
    assert past.messages[0].text.startswith("é" * 1000)
    assert [notice.code for notice in past.notices] == ["session_line_lost"]
