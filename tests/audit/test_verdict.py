"""What a stream is held against: its own contract, and a policy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from a3s_cli.audit.policy_file import AuditRule
from a3s_cli.audit.verdict import LISTED, Verdict, exit_status, judge
from a3s_cli.events import PermissionDenied, ToolOutputDelta, ToolRejected

from .streams import bash, call, end, error, run, start, turn


def problems(lines: list[bytes]) -> list[str]:
    return [str(problem) for problem in judge(lines, "x", ()).problems]


def broken(lines: list[bytes], **rule: Any) -> list[tuple[int, str]]:
    verdict = judge(lines, "x", [AuditRule("r", **rule)])
    assert verdict.problems == []
    return [(breach.line, breach.what) for breach in verdict.rules[0].breaches]


def without(lines: list[bytes], number: int) -> list[bytes]:
    return lines[: number - 1] + lines[number:]


# -- whole and valid ---------------------------------------------------------------------


def test_a_whole_stream() -> None:
    lines = run(bash("true"), call("read", "c2", file_path="a"))
    verdict = judge(lines, "x", ())
    assert (verdict.outcome, verdict.problems, verdict.lines) == ("clean", [], 8)


def test_nothing_at_all() -> None:
    assert problems([]) == ["line 1: the stream is empty"]


def test_no_start() -> None:
    assert problems(run()[1:])[0] == "line 1: type: only the first line must be start"


def test_no_terminal_event() -> None:
    assert problems(run()[:-1]) == ["line 3: type: the stream has no end or error"]


def test_a_gap() -> None:
    lines = run(bash("true"))
    assert problems(without(lines, 2)) == ["line 2: seq: 2 where 1 was expected"]


def test_a_call_without_an_end() -> None:
    lines = run(bash("true")[:1], end(1))
    assert problems(lines) == ["line 4: toolId: the call 'c1' has no tool_end"]


def test_a_call_that_never_began() -> None:
    stranger = ToolOutputDelta(tool_name="bash", tool_id="c9", text="x")
    lines = run([stranger, stranger, stranger])
    # Once is enough.
    assert problems(lines) == ["line 4: toolId: the call 'c9' has no tool_start"]


def test_a_second_fate() -> None:
    denied = PermissionDenied(
        tool_name="bash", tool_id="c1", tool_input={}, decision="deny", rule="", reason="", hint=""
    )
    assert problems(run(denied, bash("true"))) == [
        "line 5: toolId: the call 'c1' has already ended"
    ]


def test_a_call_that_was_cut_out_is_missed() -> None:
    lines = run(bash("true", "c1"), bash("true", "c2"))
    kept = [json.loads(line) for line in lines if b'"c1"' not in line]
    lines = [json.dumps(one | {"seq": seq}).encode() + b"\n" for seq, one in enumerate(kept)]
    assert problems(lines) == ["line 6: toolCalls: found 2, but 1 calls have started"]


def test_another_schema() -> None:
    assert problems(run(start(schema_version=2)))[-1].startswith("line 4: schemaVersion: 2: ")


@pytest.mark.parametrize("rest", [b'{"type":"tool_sta', b"\xff", b"x"])
def test_a_torn_end(rest: bytes) -> None:
    found = problems([*run(), rest])
    assert found == ["line 5: the line is torn: its newline is missing"]


def test_what_is_bad_does_not_hide_the_rest() -> None:
    lines = run(bash("curl a", "c1"), bash("curl b", "c2"))
    lines[2] = b"{broken\n"
    lines[4] = lines[4].replace(b'"exitCode":0', b'"exitCode":"0"')
    verdict = judge(lines, "x", [AuditRule("r", must_not=("bash(curl:*)",))])
    assert [problem.line for problem in verdict.problems] == [3, 5]
    assert verdict.outcome == "invalid"
    assert [breach.line for breach in verdict.rules[0].breaches] == [4, 6]


def test_a_million_problems_are_counted() -> None:
    verdict = judge([b"\n"] * 1000, "x", ())
    assert (len(verdict.problems), verdict.problem_count) == (LISTED, 1001)


def test_what_a_later_version_adds_is_let_through() -> None:
    lines = run()
    lines[1] = lines[1].replace(b'"turn":1', b'"turn":1,"new":{},"redacted":true')
    lines[2:2] = [b'{"type":"novelty","seq":2,"ts":1795356140668000}\n']
    lines[3:] = [
        line.replace(b'"seq":%d' % n, b'"seq":%d' % (n + 1)) for n, line in enumerate(lines[3:], 2)
    ]
    ts = [json.loads(line)["ts"] for line in lines]
    lines[2] = lines[2].replace(b"1795356140668000", str(ts[1]).encode())
    assert problems(lines) == []


# -- calls -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        "curl a",
        "true && curl a",
        "/usr/bin/curl a",
        "env X=1 curl a",
        'cu""rl a',
        "echo $(curl a)",
        "xargs curl",
        "sh -c 'curl a'",
        "`echo curl` a",
        'eval "$x"',
        "curl 'a",
    ],
)
def test_what_must_not_run(script: str) -> None:
    assert len(broken(run(bash(script)), must_not=("bash(curl:*)",))) == 1


def test_what_may_run() -> None:
    rule = {"must_not": ("bash(curl:*)", "web_fetch*")}
    for script in ("echo curl", "ls -l > out", "X=1 make", "git log | head"):
        assert broken(run(bash(script)), **rule) == []
    assert broken(run(call("read", file_path="x")), **rule) == []


def test_denied_and_rejected_calls_did_not_run() -> None:
    denied = PermissionDenied(
        tool_name="bash",
        tool_id="c1",
        tool_input={"command": "curl"},
        decision="deny",
        rule="",
        reason="",
        hint="",
    )
    rejected = ToolRejected(
        tool_name="bash", tool_id="c2", raw_input="curl", reason="invalid_arguments", error=""
    )
    assert broken(run(denied, rejected), must_not=("bash",), must_only=()) == []


def test_what_must_be_the_only() -> None:
    rule = {"must_only": ("read", "bash(git log:*)")}
    good = run(call("read", file_path="x"), bash("git log -1", "c2"))
    assert broken(good, **rule) == []
    bad = run(
        bash("git log; rm x", "c1"),
        call("ls", "c2"),
        bash("git log > x", "c3"),
        call("mcp__x__y", "c4"),
    )
    assert [line for line, _ in broken(bad, **rule)] == [4, 6, 8, 10]
    assert broken(run(bash("true")), must_only=()) != []


def test_arguments_that_are_not_in_the_stream_are_not_harmless() -> None:
    omitted = {"omitted": 99999, "sha256": "0" * 64, "head": "echo"}
    lines = run(call("bash", command=omitted))
    assert broken(lines, must_not=("bash(curl:*)",)) != []
    assert broken(lines, must_only=("bash(echo:*)",)) != []
    assert broken(lines, must_only=("bash",)) == []
    assert broken(lines, must_not=("read",)) == []


# -- files -------------------------------------------------------------------------------


def write(to: str, /, **end: Any) -> list[Any]:
    return call("write", file_path=to, content="", end=end)


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        (".github/x.yml", None),
        ("/work/.github/x.yml", None),
        ("src/../.github/x", None),
        ("link/x", "/work/.github/x"),
    ],
)
def test_paths_that_must_not_be_written(path: str, resolved: str | None) -> None:
    lines = run(write(path, **({"path": resolved} if resolved else {})))
    assert broken(lines, must_not_write=(".github/**",)) == [(5, ".github/** must not be written")]
    assert len(broken(lines, must_not=("write(.github/**)",))) == 1


def test_paths_that_may_be_written() -> None:
    rule = {"must_not_write": (".github/**", "/etc/**")}
    assert broken(run(write("src/x", path="/work/src/x")), **rule) == []
    assert broken(run(call("read", file_path=".github/x")), **rule) == []
    # A write that failed has written nothing.
    assert broken(run(write(".github/x", exit_code=1)), **rule) == []


# -- limits and ends ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ({"max_turns": 1}, None),
        ({"max_turns": 0}, "max_turns is 0, the run reached 1"),
        ({"max_tool_calls": 1}, "max_tool_calls is 1, the run reached 2"),
        ({"max_tokens": 14}, "max_tokens is 14, the run reached 15"),
        ({"max_duration": 0.004}, "max_duration is 0.004, the run reached 0.005"),
        ({"max_duration": 1}, None),
        ({"max_cost_usd": 0.1}, "max_cost_usd is 0.1, the run reached 0.25"),
        ({"max_cost_usd": 0.25}, None),
    ],
)
def test_limits(limits: dict[str, float], what: str | None) -> None:
    lines = run(bash("true", "c1"), bash("true", "c2"), cost_usd=0.25)
    assert broken(lines, limits=limits) == ([(8, what)] if what else [])


def test_a_cost_that_is_not_told_is_not_kept() -> None:
    assert broken(run(), limits={"max_cost_usd": 9}) != []
    free = run(end(total_tokens=0, turns=0))
    free = [line for line in free if b'"turn' not in line[:20]]
    free = [line.replace(b'"seq":3', b'"seq":1') for line in free]
    assert broken(free, limits={"max_cost_usd": 9}) == []


def test_ends() -> None:
    assert broken(run(), must_end=("end",)) == []
    assert broken(run(error("max_turns")), must_end=("end", "max_turns")) == []
    assert broken(run(error("tool_loop")), must_end=("end",)) == [
        (4, "the run ended in tool_loop, not in end")
    ]


def test_a_stream_that_lies_about_its_turns() -> None:
    lines = run(turn(2), turn(3), end(turns=1, total_tokens=1))
    assert broken(lines, limits={"max_turns": 2, "max_tokens": 44}) == [
        (8, "max_turns is 2, the run reached 3"),
        (8, "max_tokens is 44, the run reached 45"),
    ]


# -- the verdict -------------------------------------------------------------------------


def verdict(outcome: str) -> Verdict:
    rule = AuditRule(
        "r", severity="warning" if outcome == "warned" else "error", must_end=("usage",)
    )
    lines = run()
    return judge(
        lines[1:] if outcome == "invalid" else lines, "x", [] if outcome == "clean" else [rule]
    )


def test_the_worst_wins() -> None:
    clean, warned, bad, invalid = map(verdict, ("clean", "warned", "violations", "invalid"))
    assert [one.outcome for one in (clean, warned, bad, invalid)] == [
        "clean",
        "clean",
        "violations",
        "invalid",
    ]
    assert exit_status([clean, warned]) == 0
    assert exit_status([clean, bad, warned]) == 5
    assert exit_status([bad, invalid, clean]) == 65
