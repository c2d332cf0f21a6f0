"""What a decision costs grows with the script, and not faster: counted, never timed.

`python -m benchmarks decisions` measures the time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from a3s_cli.permissions.policy import Policy
from a3s_cli.permissions.shell import MAX_BYTES
from a3s_cli.permissions.shell_found import MOST_COMMANDS, MOST_STEPS
from a3s_cli.tool_protocol import Subject

LINES: dict[str, Callable[[int], str]] = {
    "commands": lambda n: f"git add src/m{n}.py && pytest tests/test_{n}.py -q 2>&1 | tail -{n}\n",
    "loops": lambda n: f'for f in src/{n}/*.py; do grep -c TODO "$f" || echo none; done\n',
    "substitutions": lambda n: f'echo "$(git rev-parse v{n})" $((n{n} + 1)) ${{x:-{n}}}\n',
    "assignments": lambda n: f"v{n}=1\n",
    "directories": lambda n: f"(cd d{n} && make)\n",
    "text": lambda n: f"cat <<'E{n}'\nline {n}\nE{n}\n",
}
#: Calls of our own functions for each line of a script, by its kind.
MOST = {
    "commands": 420,
    "loops": 330,
    "substitutions": 320,
    "text": 140,
    "assignments": 90,
    "directories": 260,
}


def calls_of(script: str) -> int:
    """Count the calls of functions of ours that a decision makes."""
    policy = Policy(
        allow=["bash(git:*)", "bash(pytest:*)"], deny=["bash(rm:*)"], tools=["bash"], ask=[]
    )
    policy.decide("bash", Subject("command", script[:50]))
    count = 0

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        if event == "call" and "a3s_cli" in frame.f_code.co_filename:
            count += 1

    sys.setprofile(profile)
    try:
        policy.decide("bash", Subject("command", script))
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", LINES)
def test_the_cost_is_linear(kind: str) -> None:
    def script(lines: int) -> str:
        return "".join(map(LINES[kind], range(1000, 1000 + lines)))

    length = len(LINES[kind](1000))
    small, large = MAX_BYTES // length // 4, MAX_BYTES // length
    few, many = calls_of(script(small)), calls_of(script(large))
    assert many <= few * (large / small) * 1.3
    assert many / large <= MOST[kind], many / large


def test_a_repeated_command_is_read_once() -> None:
    one, more = calls_of("git log -1\n" * 10), calls_of("git log -1\n" * 900)
    assert more <= one + 900 * 14


#: Scripts that hold as much as can be written into ten kilobytes, and the calls of each.
DENSE: dict[str, Callable[[int], str]] = {
    **LINES,
    "short": lambda n: f"a{n};",
    "words": lambda n: f"git add {' '.join(f'f{n}{k}' for k in range(40))}\n",
    "options": lambda n: f"git log -{n} --stat --oneline -p\n",
    "quotes": lambda n: f"""echo "a'{n}'b" 'x"{n}' a\\ b\n""",
    "nested": lambda _: "echo " + '$(echo "x ' * 20 + "y" + '")' * 20 + "\n",
    "wrapped": lambda n: f"timeout 5 env A=1 nice make {n}\n",
    "wrappers": lambda _: "sudo ",
    "redirections": lambda n: f"a >b{n} 2>&1 </x\n",
    "tests": lambda n: f"[[ $a == b{n} && -f c ]]\n",
}


@pytest.mark.parametrize("kind", DENSE)
def test_no_script_costs_more_than_a_long_program(kind: str) -> None:
    length = len(DENSE[kind](1000))
    script = "".join(map(DENSE[kind], range(1000, 1000 + MAX_BYTES // length)))
    assert calls_of(script) < 25_000


def test_a_script_of_too_many_commands_says_so() -> None:
    policy = Policy(allow=["bash(git:*)"], tools=["bash"], ask=[], deny=["bash(rm:*)"])

    def decide(commands: int) -> tuple[str, str]:
        script = "".join(f"git log -{n}\n" for n in range(commands))
        decision = policy.decide("bash", Subject("command", script))
        return decision.decision, decision.reason.partition(": ")[2]

    assert decide(MOST_COMMANDS)[0] == "allow"
    too_long = "the script is too long: it has more than 300 commands, too many to judge"
    assert decide(MOST_COMMANDS + 1) == ("ask", too_long)


#: Shapes that no one types, each of which takes much work for its length.
HOSTILE = [
    "(", "$(", "`a`", "{ ", "${x:-", "$((1+", "{a,b} ", "{}", "if a; then ", "if a;then b;fi;",
    "case a in a)b;;esac;", "<<E\nE\n", ">a ", "<a ", "2>&1 ", "a>b<c ", "a|", "a&&", "a;", "a ",
    "x=1 ", "x=1\\\n;", "x\\\ny=1;", "a\\\nb ", "eval ", "find -exec ", "sudo -u a ", "time a;",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_is_bounded(piece: str) -> None:
    script = piece * (MAX_BYTES // len(piece))
    assert calls_of(script) < 40_000
    policy = Policy(default_decision="allow", deny=["bash(rm:*)"], tools=["bash"])
    assert policy.decide("bash", Subject("command", script + "rm x")).decision != "allow"


def test_a_script_of_too_many_steps_says_so() -> None:
    policy = Policy(allow=["bash(true:*)"], tools=["bash"], ask=[], deny=["bash(rm:*)"])

    def decide(times: int) -> tuple[str, str]:
        decision = policy.decide("bash", Subject("command", "if true; then true; fi\n" * times))
        return decision.decision, decision.reason.partition(": ")[2]

    too_long = f"the script is too long: it takes more than {MOST_STEPS} steps to read"
    assert decide(MOST_STEPS // 16)[0] == "allow"
    assert decide(430) == ("ask", f"{too_long}, too many to judge")
