"""The journal survives what a crash can do to it, and notices what none can."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a3s_cli.batch.journal import NAME, Journal
from a3s_cli.errors import InvalidStream, SessionBusy

from .bench import BatchBench

LINES = [{"type": "batch_close", "item": f"i{n}", "text": "ü\n" * n} for n in range(5)]


def written(path: Path, lines: list[dict[str, object]]) -> None:
    async def write() -> None:
        journal = Journal(path)
        for _ in journal.read():
            pass
        for line in lines:
            journal.append(line, lambda: None)
        await journal.flush()
        journal.close()

    asyncio.run(write())


def read(path: Path) -> list[dict[str, object]]:
    journal = Journal(path)
    try:
        return [{k: v for k, v in line.items() if k != "prev"} for _, line in journal.read()]
    finally:
        journal.close()


def test_cut_at_every_byte_it_keeps_every_whole_line_and_goes_on(tmp_path: Path) -> None:
    written(tmp_path / NAME, LINES)
    data = (tmp_path / NAME).read_bytes()
    ends = [at for at, byte in enumerate(data, 1) if byte == 10]

    def cut(size: int) -> None:
        path = tmp_path / str(size) / NAME
        path.parent.mkdir()
        path.write_bytes(data[:size])
        whole = sum(end <= size for end in ends)
        assert read(path) == LINES[:whole]
        written(path, LINES[whole:])
        assert path.read_bytes() == data

    # Each waits for the disk most of the time.
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(cut, range(len(data))))


@settings(max_examples=100)
@given(garbage=st.binary(max_size=200), lines=st.integers(0, 5))
def test_what_a_machine_leaves_behind_the_last_sync_is_cut_off(
    garbage: bytes, lines: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / NAME
    written(path, LINES[:lines])
    data = path.read_bytes()
    path.write_bytes(data + garbage + bytes(17))
    assert read(path) == LINES[:lines]
    assert path.read_bytes() == data


@pytest.mark.parametrize("number", range(4))
def test_a_line_that_was_changed_is_no_crash(tmp_path: Path, number: int) -> None:
    path = tmp_path / NAME
    written(path, LINES)
    lines = path.read_bytes().splitlines(keepends=True)
    changed = [*lines[:number], lines[number].replace(b"i", b"j", 3), *lines[number + 1 :]]
    path.write_bytes(b"".join(changed))
    with pytest.raises(InvalidStream, match=f"line {number + 2} was edited"):
        read(path)
    del lines[number]
    path.write_bytes(b"".join(lines))
    with pytest.raises(InvalidStream, match=f"line {number + 1} was edited"):
        read(path)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("behind", [b"", b'{"type":"torn'])
def test_a_whole_line_that_is_broken_is_no_torn_tail(
    tmp_path: Path, number: int, behind: bytes
) -> None:
    """Not even the last line, or the only one: a crash leaves no line with its end."""
    path = tmp_path / NAME
    written(path, LINES[: number + 1])
    *before, last = path.read_bytes().splitlines(keepends=True)
    for broken in (b"x" + last[1:], last.replace(b'"', b"", 1), last[:-2] + b"\n", b"\n", b"{}\n"):
        data = b"".join([*before, broken]) + behind
        path.write_bytes(data)
        with pytest.raises(InvalidStream, match=f"line {number + 1} was edited"):
            read(path)
        assert path.read_bytes() == data, "nothing of it is cut off"


#: Lines that have the chain, which has no secret, but not the fields of ours.
_SHA = "0" * 64
_END = {
    "type": "item_end", "item": "a", "sha256": _SHA, "attempt": 1, "exitCode": 0,
    "durationMs": 1, "place": 0,
}  # fmt: skip
FORGED: list[tuple[dict[str, object], str]] = [
    ({"type": "batch_open", "items": 1}, "batchId: expected a string"),
    ({"type": "batch_open", "batchId": "b", "items": "1"}, "items: expected a whole number"),
    ({"type": []}, "type: expected a string"),
    ({**_END, "item": ["a"]}, "item: expected a string"),
    ({**_END, "sha256": "x" * 64}, "sha256: expected the digits"),
    ({**_END, "attempt": -1}, "attempt: expected a whole number"),
    ({**_END, "attempt": 2**40}, "attempt: expected the number of an attempt"),
    ({**_END, "attempt": True}, "attempt: expected a whole number"),
    ({**_END, "exitCode": None}, "exitCode: expected a whole number"),
    ({**_END, "durationMs": "1"}, "durationMs: expected a whole number"),
    ({**_END, "usage": [1]}, "usage: expected another type"),
    ({**_END, "usage": {"inputTokens": "1"}}, "usage: expected whole numbers"),
    ({**_END, "costUsd": "1"}, "costUsd: expected another type"),
]


@pytest.mark.parametrize(("line", "why"), FORGED)
def test_a_chained_line_that_is_none_of_ours(
    tmp_path: Path, line: dict[str, object], why: str
) -> None:
    written(tmp_path / NAME, [line])
    with pytest.raises(InvalidStream, match=f"line 1: {why}"):
        read(tmp_path / NAME)


@pytest.mark.parametrize("command", [["status"], ["results"], []], ids=["status", "results", "run"])
def test_a_broken_journal_is_never_an_empty_one(batch: BatchBench, command: list[str]) -> None:
    batch.items([{"prompt": "x"}])
    directory = batch.work / "items.ndjson.batch"
    directory.mkdir()
    (directory / NAME).write_bytes(b'{"type":"batch_open","batchId":"b","items":3\n')
    if command:
        result = batch.bench("batch", *command, "items.ndjson.batch", laws="none")
    else:
        result = batch("items.ndjson")
    assert (result.status, result.stdout) == (65, b"")
    assert b"journal.ndjson: line 1 was edited, moved or damaged" in result.stderr


def test_half_a_surrogate_pair_is_a_problem_of_its_line(batch: BatchBench) -> None:
    batch.say(1)
    assert batch("items.ndjson").status == 0
    path = batch.work / "items.ndjson.batch" / NAME
    path.write_bytes(path.read_bytes().replace(b'"item":"', b'"item":"\\ud800'))
    result = batch.bench("audit", "items.ndjson.batch", laws="none")
    assert result.status == 65
    assert b"half a surrogate pair" in result.stdout + result.stderr


def test_one_writer(tmp_path: Path) -> None:
    first = Journal(tmp_path / NAME)
    with pytest.raises(SessionBusy, match="another batch has the directory"):
        Journal(tmp_path / NAME)
    first.close()
    Journal(tmp_path / NAME).close()


def test_a_second_batch_is_busy(batch: BatchBench) -> None:
    batch.items([{"prompt": "wait for it"}])
    first = batch.spawn("items.ndjson")
    batch.model.wait_for_waiting(1)
    second = batch("items.ndjson")
    assert (second.status, second.stdout) == (75, b"")
    assert b"another batch has the directory" in second.stderr
    told = json.loads(batch.bench("batch", "status", "items.ndjson.batch", "--json").stdout)
    assert told["running"] is True
    batch.model.open()
    assert first.finish().status == 0


def test_a_changed_journal_is_refused(batch: BatchBench) -> None:
    batch.say(3)
    assert batch("items.ndjson").status == 0
    path = batch.work / "items.ndjson.batch" / NAME
    path.write_bytes(path.read_bytes().replace(b'"text":"1"', b'"text":"7"'))
    result = batch("items.ndjson")
    assert (result.status, result.stdout) == (65, b"")
    assert b"was edited, moved or damaged" in result.stderr


def test_a_clock_that_jumps_back_changes_nothing(batch: BatchBench) -> None:
    """What was written in the future is older than what is written now."""
    batch.say(2)
    assert batch("items.ndjson").status == 0
    path = batch.work / "items.ndjson.batch" / NAME
    lines = [line for _, line in _lines(path)]
    path.unlink()
    later = (time.time_ns() // 1_000_000) + 10**10
    written(path, [{**line, "ts": later} for line in lines])
    batch.say(4)
    result = batch("items.ndjson")
    assert (result.status, sorted(one["item"] for one in result.of("item_end"))) == (
        0, ["i2", "i3"],
    )  # fmt: skip
    stamps = [one["ts"] for one in result.events if one["type"].startswith(("batch", "item_"))]
    assert stamps == sorted(stamps)


def _lines(path: Path) -> list[tuple[int, dict[str, object]]]:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return list(enumerate({k: v for k, v in line.items() if k != "prev"} for line in lines))
