"""Mutated recordings: reordered, extended, thinned out, and broken.

Unknown fields, unknown events, another order of fields and another cut of the
bytes change nothing. Anything at all may be missing or of the wrong type: then
the answer may differ, but the only exception is one of ours.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a3s_cli.errors import A3SError
from a3s_cli.sse import Parser
from tests.support.a3s import proofs
from tests.support.corpus import Recording, absent, recordings
from tests.support.decoding import NAMES, Answer, answer

pytestmark = pytest.mark.skipif(not recordings(), reason=absent("sse/index.json"))
SETTINGS = settings(
    max_examples=proofs(60), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
Event = tuple[str, str]


def small(name: str) -> list[Recording]:
    found = [one for one in recordings() if one.wire == name and len(one.data) < 30_000]
    # Where the SDK's error is text around the stream there are no events to change.
    return [one for one in found if not one.expect["error"]]


def events_of(recording: Recording) -> list[Event]:
    parser = Parser()
    events = parser.feed(recording.data)
    parser.close()
    return events + parser.unfinished


def framed(events: list[Event], chance: random.Random) -> bytes:
    end = chance.choice(["\n", "\r\n", "\r"])
    text = ""
    for name, data in events:
        if chance.random() < 0.2:
            text += f": {chance.random()}{end}{end}"
        if name != "message":
            text += f"event: {name}{end}"
        text += f"data: {data}{end}{end}"
    return text.encode()


def shuffled(value: Any, chance: random.Random) -> Any:
    """Return the same value with its fields reordered and others added."""
    if isinstance(value, dict):
        items = [(key, shuffled(item, chance)) for key, item in value.items()]
        if chance.random() < 0.5:
            items.append((f"x_{chance.randrange(1000)}", chance.choice([None, [], {}, "?", 7])))
        chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        return [shuffled(item, chance) for item in value]
    return value


#: Values whose order of keys is part of the answer, or which are the answer.
PRECIOUS = ("args", "arguments", "input", "partial_json", "partialArgs", "reasoning_details")


def outside_of_precious(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key in PRECIOUS}
        if "encrypted_content" in value or "thoughtSignature" in value or "data" in value:
            return value
        rest = {
            key: outside_of_precious(item, chance)
            for key, item in value.items()
            if key not in PRECIOUS
        }
        mixed = shuffled(dict.fromkeys([*kept, *rest]), chance)
        return {key: (kept | rest).get(key, mixed[key]) for key in mixed}
    if isinstance(value, list):
        return [outside_of_precious(item, chance) for item in value]
    return value


def same(got: Answer, other: Answer) -> bool:
    return (got.text, got.reasoning, got.calls, got.usage, got.stop, repr(got.error)) == (
        other.text,
        other.reasoning,
        other.calls,
        other.usage,
        other.stop,
        repr(other.error),
    )


@pytest.mark.parametrize("name", NAMES)
@SETTINGS
@given(seed=st.integers(0, 2**32))
def test_what_is_unknown_changes_nothing(name: str, seed: int) -> None:
    chance = random.Random(seed)
    recording = chance.choice(small(name))
    events: list[Event] = []
    for event, data in events_of(recording):
        if data.strip() == "[DONE]":
            events.append((event, data))
            continue
        events.append((event, json.dumps(outside_of_precious(json.loads(data), chance))))
        if chance.random() < 0.2:
            events.append(("novelty", '{"type":"novelty","x":[1]}'))
    changed = framed(events, chance)
    size = chance.choice([1, 13, 1000, len(changed)])
    got = answer(name, [changed[n : n + size] for n in range(0, len(changed), size)])
    assert same(got, answer(name, [recording.data])), recording.id


def thinned(value: Any, chance: random.Random, rate: float) -> Any:
    """Drop fields, and put values of other types where they do not belong."""
    if chance.random() < rate:
        return chance.choice([None, "", "x", 0, -1, 1.5, True, [], {}, [None], {"type": 3}])
    if isinstance(value, dict):
        return {
            key: thinned(item, chance, rate)
            for key, item in value.items()
            if chance.random() > rate
        }
    if isinstance(value, list):
        return [thinned(item, chance, rate) for item in value]
    return value


@pytest.mark.parametrize("name", NAMES)
@SETTINGS
@given(seed=st.integers(0, 2**32))
def test_nothing_but_our_own_errors(name: str, seed: int) -> None:
    chance = random.Random(seed)
    recording = chance.choice(small(name))
    rate = chance.choice([0.005, 0.05, 0.3])
    events = [
        (
            event,
            data
            if data.strip() == "[DONE]"
            else json.dumps(thinned(json.loads(data), chance, rate)),
        )
        for event, data in events_of(recording)
    ]
    if chance.random() < 0.3:
        chance.shuffle(events)
    got = answer(name, [framed(events, chance)])
    assert got.error is None or isinstance(got.error, A3SError)
    assert all(type(part) is str for call in got.calls for part in call)
    if got.error is None:
        assert got.stop is not None


@pytest.mark.parametrize("name", NAMES)
@SETTINGS
@given(seed=st.integers(0, 2**32))
def test_flipped_bytes(name: str, seed: int) -> None:
    chance = random.Random(seed)
    recording = chance.choice(small(name))
    data = bytearray(recording.data)
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    got = answer(name, [bytes(data)])
    assert got.error is None or isinstance(got.error, A3SError)
