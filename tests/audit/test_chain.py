"""A recording proves what it holds: accidents by itself, everything with its head."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a3s_cli.audit.verdict import Verdict, judge
from a3s_cli.stream.recorder import digest
from tests.support.a3s import proofs

from .streams import bash, run


@pytest.fixture
def lines(tmp_path: Path) -> list[bytes]:
    file = tmp_path / "run.ndjson"
    run(bash("echo a", "c1"), bash("echo b", "c2"), recording=file)
    return file.read_bytes().splitlines(keepends=True)


def verify(lines: list[bytes], head: str | None = None) -> Verdict:
    return judge(lines, "x", (), verify=True, head=head)


def chain_problems(verdict: Verdict) -> list[int]:
    return [problem.line for problem in verdict.problems if problem.field == "prev"]


def renumbered(lines: list[bytes]) -> list[bytes]:
    """What a careful forger writes: every line valid, and the chain made anew."""
    made: list[bytes] = []
    for seq, line in enumerate(lines):
        event = json.loads(line)
        event["seq"] = seq
        event["prev"] = digest(made[-1]) if made else digest(b"")
        made.append(json.dumps(event, separators=(",", ":")).encode() + b"\n")
    return made


def test_the_real_one_passes(lines: list[bytes]) -> None:
    verdict = verify(lines, digest(lines[-1]))
    assert (verdict.outcome, verdict.problems) == ("clean", [])
    assert verdict.head == digest(lines[-1])


def test_an_edited_line_is_named(lines: list[bytes]) -> None:
    for number in range(len(lines)):
        edited = list(lines)
        edited[number] = lines[number].replace(b'"ts":', b'"ts": ')
        verdict = verify(edited, digest(lines[-1]))
        assert chain_problems(verdict) == [number + 1]
        assert verify(edited).outcome == ("clean" if number == len(lines) - 1 else "invalid")


def test_a_cut_line_is_named(lines: list[bytes]) -> None:
    for number in range(1, len(lines)):
        cut = lines[:number] + lines[number + 1 :]
        # The line before the gap, which the next one does not remember.
        assert number in chain_problems(verify(cut, digest(lines[-1])))


def test_a_cut_beginning_is_named(lines: list[bytes]) -> None:
    verdict = verify(lines[1:], digest(lines[-1]))
    assert "the lines before it were cut" in str(verdict.problems)
    assert 1 in chain_problems(verdict)


def test_a_cut_end_is_named(lines: list[bytes]) -> None:
    verdict = verify(lines[:-1], digest(lines[-1]))
    assert chain_problems(verdict) == [len(lines) - 1]


def test_an_inserted_line_is_named(lines: list[bytes]) -> None:
    for number in range(1, len(lines)):
        inserted = [*lines[:number], lines[number], *lines[number:]]
        assert number + 1 in chain_problems(verify(inserted, digest(lines[-1])))


def test_a_chain_made_anew_needs_the_head(lines: list[bytes]) -> None:
    forged = [line for line in lines if b"echo b" not in line]
    forged = renumbered([line for line in forged if b'"c2"' not in line])
    forged = renumbered([line.replace(b'"toolCalls":2', b'"toolCalls":1') for line in forged])
    assert verify(forged).outcome == "clean"
    assert verify(forged, digest(lines[-1])).outcome == "invalid"


def test_a_plain_stream_is_no_recording() -> None:
    lines = run()
    verdict = verify(lines)
    assert [str(problem) for problem in verdict.problems] == [
        "line 1: prev: not a recording: a3s run --record FILE makes one"
    ]
    assert judge(lines, "x", ()).outcome == "clean"


def test_a_line_that_nobody_recorded(lines: list[bytes]) -> None:
    plain = json.loads(lines[3])
    del plain["prev"]
    lines[3] = json.dumps(plain).encode() + b"\n"
    assert chain_problems(verify(lines)) == [4, 4]


@settings(
    max_examples=proofs(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.randoms(use_true_random=False))
def test_no_change_passes_with_the_head(lines: list[bytes], chance: random.Random) -> None:
    changed = list(lines)
    one, other = chance.sample(range(len(lines)), 2)
    data = bytearray(lines[one])
    at = chance.randrange(len(data))
    kind = chance.choice(["flip", "cut", "insert", "swap", "drop"])
    if kind == "flip":
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del data[at : at + chance.randrange(1, 200)]
    elif kind == "insert":
        data[at:at] = chance.randbytes(3)
    elif kind == "swap":
        data, changed[other] = bytearray(lines[other]), lines[one]
    changed[one] = b"" if kind == "drop" else bytes(data)
    read = b"".join(changed).splitlines(keepends=True)
    assert verify(read, digest(lines[-1])).outcome == "invalid"
