"""A conversation that is shortened stays one: the laws, over conversations of any shape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.errors import ContextOverflow
from a3s_cli.messages import Message, Reasoning, Text, ToolCall, ToolResult, ToolSpec, Usage
from a3s_cli.model import (
    Chunk,
    Request,
    StopChunk,
    UsageChunk,
    Way,
    conversation_bytes,
    request_bytes,
)
from a3s_cli.run.compaction import Compactor, Gauge, limit_of
from a3s_cli.run.conversation import Conversation
from a3s_cli.run.cost import Account
from a3s_cli.run.response import Asker, CallIds
from a3s_cli.run.shortening import (
    GO_ON,
    LEAST_OUTPUT,
    SHORT,
    SHOWN_TEXT,
    last_turns,
    retold,
    with_last_outputs_cut,
    without_old_outputs,
)
from a3s_cli.secrets.redaction import Redactor
from a3s_cli.stream.emitter import Emitter
from tests.support.conversations import encode
from tests.support.decoding import NAMES

BASE = Request("m-1", "Be brief.", (), (ToolSpec("bash", "Run it.", {"type": "object"}),))
SIZES = (0, 3, 200, 2000, 20_000)


@dataclass
class Summariser:
    """A provider that answers whatever it is asked with the same words."""

    answer: str = "they did this and that"
    asked: list[Request] = field(default_factory=list)

    @property
    def ways(self) -> Sequence[Way]:
        return ()

    async def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        self.asked.append(request)
        yield [self.answer, UsageChunk(Usage(7, 3, total_tokens=10)), StopChunk("end_turn")]

    async def close(self) -> None:
        pass


@dataclass
class Shelf:
    """Keeps what a session's file would."""

    messages: list[Message] = field(default_factory=list)

    def keep(self, messages: Sequence[Message]) -> None:
        self.messages += messages

    def replace(self, messages: Sequence[Message]) -> None:
        self.messages = list(messages)


def compactor(
    messages: Sequence[Message], limit: int | None, provider: Summariser | None = None
) -> Compactor:
    conversation = Conversation(list(messages), keeper=Shelf(list(messages)))
    emitter, ids = Emitter(), CallIds()
    asker = Asker(provider or Summariser(), "openai-chat", emitter, ids, Account())
    return Compactor(asker, BASE, conversation, limit)


def prompt(number: int, size: int = 20) -> Message:
    return Message("user", (Text(f"prompt {number} " + "p" * size),))


def turn(number: int, *sizes: int, argument: int = 10) -> list[Message]:
    calls = [
        ToolCall(f"c{number}-{n}", "bash", f'{{"command":"{"x" * argument}"}}', f"v{number}-{n}")
        for n, _ in enumerate(sizes)
    ]
    thought = Reasoning("hm", {"signature": "c2ln"}, "anthropic")
    results = [
        ToolResult(call.id, "bash", "o" * size, provider_id=call.provider_id)
        for call, size in zip(calls, sizes, strict=True)
    ]
    return [
        Message("assistant", (thought, Text(f"turn {number}"), *calls)),
        Message("tool", tuple(results)),
    ]


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """A conversation before a request: it ends in a prompt, or in the results of a turn."""
    messages: list[Message] = []
    size = st.sampled_from(SIZES)
    number = 0
    runs = draw(st.integers(1, 4))
    for run in range(runs):
        messages.append(prompt(run, draw(size)))
        turns = draw(st.integers(0, 8))
        for _ in range(turns):
            number += 1
            outputs = draw(st.lists(size, min_size=1, max_size=3))
            messages += turn(number, *outputs, argument=draw(size))
        if run < runs - 1 and (not turns or draw(st.booleans())):
            messages.append(Message("assistant", (Text("answer " + "a" * draw(size)),)))
    return messages


def check(messages: Sequence[Message]) -> None:
    """It is a conversation: every call has its result, and no speaker comes twice in a row."""
    assert messages[0].role == "user"
    for before, after in pairwise(messages):
        if before.calls:
            results = [part for part in after.parts if isinstance(part, ToolResult)]
            assert after.role == "tool" and len(results) == len(after.parts)
            assert [one.call_id for one in results] == [one.id for one in before.calls]
            assert [one.provider_id for one in results] == [one.provider_id for one in before.calls]
        elif before.role == "user":
            assert after.role == "assistant"
        else:
            assert after.role == "user" or (before.role == "tool" and after.role == "assistant")
    assert not messages[-1].calls
    assert all(message.parts for message in messages)


def begin_of_last(messages: Sequence[Message]) -> int:
    return len(messages) - (2 if messages[-1].role == "tool" else 1)


@given(conversations(), st.integers(100, 30_000), st.sampled_from(["", "a summary " * 2000]))
def test_what_is_left_is_a_conversation(said: list[Message], limit: int, summary: str) -> None:
    provider = Summariser(summary)
    one = compactor(said, limit, provider)
    asyncio.run(one.fit())
    left = one.conversation.messages
    check(left)
    assert one.conversation.keeper == Shelf(left)
    if one.gauge.tokens(replace(BASE, messages=tuple(said))) <= limit:
        assert left == said and not provider.asked
        return
    assert conversation_bytes(left) <= conversation_bytes(said)
    assert left[0] == said[0]
    asked = [message for message in said if message.role == "user"]
    assert asked[-1] in left
    # The last turn is as it was, but for outputs that had no room.
    last, was = left[begin_of_last(left) :], said[begin_of_last(said) :]
    assert last[0] == was[0]
    assert len(provider.asked) <= 1
    for request in provider.asked:
        assert not request.tools and request_bytes(request) <= max(limit, 1000) * 4
    for name in NAMES:
        encode(name, replace(BASE, messages=tuple(left)))


@given(conversations(), st.integers(100, 30_000))
def test_shortened_once_is_shortened(said: list[Message], limit: int) -> None:
    """What cannot be shortened is not tried again at every turn, with a request each."""
    provider = Summariser("a summary " * 2000)
    one = compactor(said, limit, provider)
    asyncio.run(one.fit())
    left, asked = list(one.conversation.messages), len(provider.asked)
    asyncio.run(one.fit())
    assert len(provider.asked) == asked
    assert conversation_bytes(one.conversation.messages) <= conversation_bytes(left)


@given(conversations(), st.booleans())
def test_a_refused_conversation(said: list[Message], known: bool) -> None:
    """It is shorter and still one, or nothing can be done."""
    one = compactor(said, 1_000_000 if known else None)
    again = asyncio.run(one.resend(ContextOverflow("too long"), 3))
    left = one.conversation.messages
    check(left)
    assert again == (left != said)
    assert again == (conversation_bytes(left) < conversation_bytes(said))
    assert one.limit is not None
    assert one.limit < one.gauge.tokens(replace(BASE, messages=tuple(said)))


@given(conversations(), st.integers(0, 100_000))
def test_old_outputs_go_first(said: list[Message], room: int) -> None:
    left = without_old_outputs(said, room)
    check(left)
    assert left[begin_of_last(said) :] == said[begin_of_last(said) :]
    changed = [n for n, (now, was) in enumerate(zip(left, said, strict=True)) if now != was]
    for index in changed:
        assert said[index].role == "tool"
    if conversation_bytes(said) <= room:
        assert not changed
    # None is left out while an older one is still whole.
    last = changed[-1] if changed else 0
    for message in left[:last]:
        if message.role == "tool":
            assert all(len(part.output) <= SHORT for part in message.parts)  # type: ignore[union-attr]
    if conversation_bytes(left) > room:
        assert without_old_outputs(left, 0) == left


@given(conversations(), st.integers(0, 100_000))
def test_the_last_turns(said: list[Message], room: int) -> None:
    begin = last_turns(said, room)
    assert 1 <= begin <= len(said)
    if begin < len(said):
        assert said[begin].role != "tool"
        check(retold(said, begin, "so far"))
        fits = conversation_bytes(said[begin:]) <= room
        assert fits or begin == begin_of_last(said)
    else:
        assert len(said) == 1


@given(st.lists(st.sampled_from(SIZES), min_size=1, max_size=6), st.integers(0, 60_000))
def test_the_last_outputs_share_the_room(sizes: list[int], room: int) -> None:
    said = [prompt(1), *turn(1, *sizes)]
    left = with_last_outputs_cut(said, room)
    check(left)
    assert left[:-1] == said[:-1]
    least = conversation_bytes(left[:-1]) + len(sizes) * (LEAST_OUTPUT + SHORT)
    assert conversation_bytes(left) <= max(room, least)
    assert conversation_bytes(left) >= min(room, conversation_bytes(said)) - len(sizes) * SHORT
    if conversation_bytes(said) <= room or max(sizes) <= LEAST_OUTPUT:
        assert left == said


def test_the_prompt_in_work_is_said_again() -> None:
    said = [prompt(1), *turn(1, 10), Message("assistant", (Text("so"),)), prompt(2), *turn(2, 10)]
    told = retold([*said, *turn(3, 10)], len(said), "so far")
    assert told == [prompt(1), Message("assistant", (Text("so far"),)), prompt(2), *turn(3, 10)]
    said = [prompt(1), *turn(1, 10), *turn(2, 10)]
    told = retold(said, 3, "so far")
    assert told == [prompt(1), Message("assistant", (Text("so far"),)), GO_ON, *turn(2, 10)]


def test_a_summary_is_made_of_what_was_there() -> None:
    """Of the outputs as well that are left out in the same moment."""
    said = [prompt(1)]
    for number in range(20):
        said += turn(number, 3000, argument=3000)
    result = ToolResult("c0-0", "bash", "x" * 900 + "SESAME", provider_id="v0-0")
    said[2] = Message("tool", (result,))
    provider = Summariser("sesame")
    one = compactor(said, 10_000, provider)
    asyncio.run(one.fit())
    (asked,) = provider.asked
    assert "SESAME" in asked.messages[0].text and "prompt 1" in asked.messages[0].text
    left = one.conversation.messages
    assert left[1].text.endswith("sesame") and "SESAME" not in str(left)
    assert one.asker.account.total_tokens == 10


def test_a_turn_has_one_summary() -> None:
    """A request that is refused after one was made is shortened without another."""
    provider, said = Summariser("so far"), [prompt(1)]
    for number in range(40):
        said += turn(number, 10, argument=3000)
    one = compactor(said[:41], 10_000, provider)
    asyncio.run(one.fit())
    assert len(provider.asked) == 1
    one.conversation.messages += said[41:]
    assert asyncio.run(one.resend(ContextOverflow("too long"), 1))
    assert len(provider.asked) == 1 and "so far" in one.conversation.messages[1].text
    one.conversation.messages += said[1:]
    asyncio.run(one.fit())
    assert len(provider.asked) == 2


def test_no_part_of_a_secret_is_summarised() -> None:
    """Not even where a text is cut in its middle."""
    secret = "sk-" + "S3cr3t" * 10
    long = "p" * (SHOWN_TEXT * 2 // 3 - 20) + secret + "p" * SHOWN_TEXT
    said = [Message("user", (Text(long),)), *turn(1, 10, argument=30_000), *turn(2, 10)]
    provider = Summariser()
    one = compactor(said, 8000, provider)
    one.asker = replace(one.asker, redactor=Redactor({"KEY": secret}))
    asyncio.run(one.fit())
    (asked,) = provider.asked
    assert "S3cr3t" not in asked.messages[0].text


def test_a_summary_survives_one_that_fails() -> None:
    said = [prompt(1)]
    for number in range(20):
        said += turn(number, 10, argument=3000)
    provider = Summariser("THE FIRST SUMMARY")
    one = compactor(said, 10_000, provider)
    asyncio.run(one.fit())
    provider.answer = ""
    for _ in range(3):
        for number in range(20, 40):
            one.conversation.messages += turn(number, 10, argument=3000)
        asyncio.run(one.fit())
        assert "THE FIRST SUMMARY" in one.conversation.messages[1].text
        assert "no summary" in one.conversation.messages[1].text
    assert len(provider.asked) == 4


@pytest.mark.parametrize(
    ("window", "answer", "limit"),
    [
        (None, None, None),
        (None, 4096, None),
        (200_000, None, 200_000 - 16_384 - 10_000),
        (200_000, 64_000, 200_000 - 64_000 - 10_000),
        (32_768, None, 32_768 - 8192 - 1638),
        (32_768, 32_768, 32_768 - 16_384 - 1638),
        (1, None, 1),
    ],
)
def test_limits(window: int | None, answer: int | None, limit: int | None) -> None:
    assert limit_of(window, answer) == limit


def request(*messages: Message) -> Request:
    return replace(BASE, messages=messages)


def test_a_count_is_believed_and_what_is_new_is_estimated() -> None:
    gauge, said = Gauge(), request(prompt(1, 3000))
    size = request_bytes(said)
    assert gauge.tokens(said) == pytest.approx(size / 3, abs=2)
    gauge.learn(said, None)
    gauge.learn(said, Usage())
    assert gauge.tokens(said) == pytest.approx(size / 3, abs=2)
    gauge.learn(said, Usage(700, 50, total_tokens=750))
    longer = request(*said.messages, *turn(1, 6000))
    new = request_bytes(longer) - size
    assert gauge.tokens(longer) == pytest.approx(700 + new / 3, abs=2)
    gauge.forget()
    assert gauge.tokens(longer) == pytest.approx((size + new) / 4, abs=2)


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (Usage(900, 50, total_tokens=950), 900),
        # In the input, or beside it.
        (Usage(900, 50, cache_read_tokens=800, total_tokens=950), 900),
        (Usage(100, 50, 700, 100, total_tokens=950), 900),
        # Reasoning beside the output is nothing that was read.
        (Usage(900, 50, reasoning_tokens=5000, total_tokens=5950), 900),
        # Less than a text can have: what came from a cache was not counted.
        (Usage(1, 50, total_tokens=51), 376),
    ],
)
def test_what_vendors_count(usage: Usage, read: int) -> None:
    gauge, said = Gauge(), request(prompt(1, 2934))
    gauge.learn(said, usage)
    assert request_bytes(said) == 3012
    assert gauge.tokens(said) == read + 1


def test_dense_text_is_counted_as_such() -> None:
    """Where a provider has counted more than a token for three bytes, the next text may have it."""
    gauge, said = Gauge(), request(prompt(1, 3000))
    size = request_bytes(said)
    gauge.learn(said, Usage(size // 2, 1, total_tokens=size // 2 + 1))
    longer = request(*said.messages, *turn(1, 6000))
    assert gauge.tokens(longer) == pytest.approx(request_bytes(longer) / 2, abs=3)
