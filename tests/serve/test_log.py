"""The log of a run: whatever its reader's place and pace, each line once and in its order."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.errors import UsageError
from a3s_cli.serve import log as logs
from a3s_cli.serve.log import Log
from a3s_cli.serve.session_lines import Place, SessionLines, ends, place, read

LINE = st.integers(1, 400).map(lambda size: b'{"type":"x"%b}' % (b" " * size))


def gathered(path: Path, after: Place | None = None) -> list[SessionLines]:
    async def gather() -> list[SessionLines]:
        return [found async for found in read(path, after)]

    return asyncio.run(gather())


@given(st.lists(st.lists(LINE, min_size=1, max_size=8), max_size=40), st.data())
def test_what_is_not_in_memory_was_on_the_disk(
    batches: list[list[bytes]], data: st.DataObject
) -> None:
    window = data.draw(st.integers(0, 4000))
    whole: list[bytes] = []
    kept: list[bytes] = []
    lost = data.draw(st.integers(0, 60))  # The disk is full from this batch on.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "WINDOW", window)
        log = Log(lambda: len(whole) == len(kept))
        for number, batch in enumerate(batches):
            whole += batch
            if number < lost:
                kept += batch
            log.append(b"".join(line + b"\n" for line in batch))
            assert log.next == len(whole)
            # A reader finds every line: in memory, or else on the disk.
            assert log.first <= len(kept)
            seq = data.draw(st.integers(log.first, log.next))
            room = data.draw(st.integers(1, 2000))
            found = log.lines(seq, room)
            assert found == whole[seq : seq + len(found)]
            assert bool(found) == (seq < log.next)
            assert sum(map(len, found[:-1])) < room
        log.forget()
        assert log.first == (len(whole) if len(kept) == len(whole) else log.first) <= len(kept)


def test_who_waits_is_woken_by_a_line_or_by_time() -> None:
    async def wait() -> None:
        log = Log(lambda: True)
        waiting = [asyncio.create_task(log.more(0, 30)) for _ in range(3)]
        late = asyncio.create_task(log.more(1, 30))
        left = asyncio.create_task(log.more(0, 30))
        await asyncio.sleep(0)
        left.cancel()
        log.append(b'{"type":"start"}\n')
        assert await asyncio.gather(*waiting) == [True] * 3
        assert await log.more(1, 0.001) is False
        log.append(b'{"type":"end"}\n')
        assert await late and await log.more(2, 30), "nothing comes after the terminal event"
        assert log._waiting == set()

    asyncio.run(asyncio.wait_for(wait(), 30))


RUN = st.lists(st.sampled_from(["text_delta", "session_messages", "turn_end"]), max_size=12)


@given(st.lists(RUN, max_size=4), st.data())
def test_the_past_is_read_from_any_place(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[str]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("past") / "s.ndjson"
    lines: list[bytes] = []
    wanted: list[tuple[str, int, bytes]] = []
    for number, kinds in enumerate(runs):
        run, seq = f"r{number}", 0
        for kind in ["start", *kinds]:
            fields = {"runId": run} if kind == "start" else {"text": " " * data.draw(SIZE)}
            line = json.dumps({"type": kind, **fields}, separators=(",", ":")).encode()
            lines.append(line + b"\n")
            if not kind.startswith("session_"):
                wanted.append((run, seq, line))
                seq += 1
    # A kill has torn the last line.
    path.write_bytes(b"".join(lines) + data.draw(st.sampled_from([b"", b'{"type":"te'])))

    def flat(found: list[SessionLines]) -> list[tuple[str, int, bytes]]:
        return [(one.run, one.seq + n, line) for one in found for n, line in enumerate(one.lines)]

    assert flat(gathered(path)) == wanted
    known = ends(path)
    assert list(known) == [f"r{number}" for number in range(len(runs))]
    for place_, (run, seq, _) in enumerate(wanted):
        after = place(f"{run}:{seq}", known)
        assert after == Place(run, seq + 1)
        assert flat(gathered(path, after)) == wanted[place_ + 1 :]
    for run, count in known.items():
        with pytest.raises(UsageError):
            place(f"{run}:{count}", known)


SIZE = st.sampled_from([0, 10, 40_000])


def test_there_may_be_no_file(tmp_path: Path) -> None:
    assert (gathered(tmp_path / "none"), ends(tmp_path / "none")) == ([], {})
    assert place("", {}) is None
