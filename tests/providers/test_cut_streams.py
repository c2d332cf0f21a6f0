"""Recorded responses cut where it hurts, through whole runs and real sockets.

A cut is what the vendors' own SDKs take for success: the connection closes
cleanly (or is reset) between two events, inside one, or inside a character.
`A3S_PROOFS` sizes the sample; at 100 it is every recorded cut.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import corpus, inside, wires
from tests.support.a3s import Bench, proofs
from tests.support.decoding import WIRES, answer, wire
from tests.support.sockets import RawServer, answering, resetting, response

ENDINGS = {"close": answering, "reset": resetting}


@cache
def _cuts() -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return (file, cut) by wire."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {name: [] for name in WIRES.values()}
    for case in corpus.load("sse_faults.json")["cases"]:
        found[WIRES[case["wire_api"]]] += [(case["file"], cut) for cut in case["cuts"]]
    return found


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", WIRES.values())
def test_a_cut_shows_what_it_has_and_runs_nothing(tmp_path: Path, name: str, ending: str) -> None:
    cuts = _cuts()[name]
    for file, cut in random.Random(3).sample(cuts, proofs(len(cuts))):
        data = (corpus.ROOT / "sse" / file).read_bytes()[: cut["at"]]
        place = f"{file} at {cut['at']} ({cut['kind']})"
        events = _run(tmp_path, name, ending, data)
        last = events[-1]
        assert last["type"] == "error", place
        assert (last["code"], last["exitCode"]) == _expected(name, data), place
        assert last["toolCalls"] == 0 and last["turns"] == 0, place
        kinds = {event["type"] for event in events}
        assert not kinds & {"tool_start", "tool_rejected", "permission_denied", "retry"}, place
        assert inside.said(events) == answer(name, [data]).text, place
        assert inside.said(events).startswith(cut["sdk_partial_text"] or ""), place


def _run(work: Path, name: str, ending: str, data: bytes) -> list[dict[str, Any]]:
    with RawServer(ENDINGS[ending](response(data))) as server:
        file = wires.config(wire(name).name, server.url, more="max_retries = 0")
        return inside.run(work, "test/m-1", file)


def _expected(name: str, data: bytes) -> tuple[str, int]:
    """Return code and exit status: of the vendor's error if one was sent, else of the cut."""
    error = answer(name, [data]).error
    assert error is not None
    return (error.code, int(error.exit_status))


@pytest.mark.parametrize("name", WIRES.values())
def test_most_cuts_are_cuts(name: str) -> None:
    """The expectation above comes from the codec: here it is counted against the recordings."""
    codes = [
        _expected(name, (corpus.ROOT / "sse" / file).read_bytes()[: cut["at"]])
        for file, cut in _cuts()[name]
    ]
    others = [code for code in codes if code != ("truncated_stream", 75)]
    assert len(others) <= len(codes) // 50, others


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", WIRES.values())
def test_the_binary_ends_a_cut_so_too(a3s: Bench, name: str, ending: str) -> None:
    for file, cut in random.Random(5).sample(_cuts()[name], min(proofs(2), len(_cuts()[name]))):
        data = (corpus.ROOT / "sse" / file).read_bytes()[: cut["at"]]
        with RawServer(ENDINGS[ending](response(data))) as server:
            (a3s.root / "c.acl").write_text(wires.config(wire(name).name, server.url))
            flags = ("--config", str(a3s.root / "c.acl"), "--max-retries", "0", "--allow-all")
            result = a3s("run", *flags, "-m", "test/m-1", "go")
        assert (result.last["code"], result.status) == _expected(name, data), file
        assert inside.said(result.events) == answer(name, [data]).text, file
        assert not result.of("tool_start") and len(server.requests) == 1
