"""Laws of the policy, over generated scripts."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess  # noqa: TID251
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a3s_cli.permissions.policy import Decision, Policy
from a3s_cli.permissions.rule_pattern import could_match, matches, path_matches
from a3s_cli.permissions.shell import commands
from a3s_cli.tool_protocol import Subject
from tests.support.a3s import proofs

FUZZ = settings(
    max_examples=proofs(1000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
TOOLS = ["bash", "read", "write", "web_fetch"]
STRICTNESS = {"allow": 0, "ask": 1, "deny": 2}


def policy(**rules: object) -> Policy:
    return Policy(tools=TOOLS, **rules)  # type: ignore[arg-type]


def decide(rules: Policy, script: str) -> Decision:
    return rules.decide("bash", Subject("command", script))


# -- a denial holds ------------------------------------------------------------------------

DENYING = [
    policy(deny=["bash(rm:*)"], default_decision="allow"),
    policy(deny=["bash(rm:*)"], allow=["bash"]),
    policy(deny=["bash(rm:*)"], allow=["bash(*)"]),
    policy(deny=["bash(rm victim)"], default_decision="allow", grant_asks=True),
    policy(deny=["*(rm *)"], default_decision="allow", grant_asks=True),
]
NAMES = [
    "rm", "\\rm", "r\\m", "'rm'", '"rm"', "r''m", 'r""m', "$'rm'", "$'\\x72m'", "$'\\162'm",
     "r\\\nm", "/bin/rm", "/usr/bin/../bin/rm",
     '"/bin"/rm', "{rm,}", "r[m]", "${x:-rm}", "$(echo rm)"
]  # fmt: skip
ARGUMENTS = [
    "victim", "'victim'", "vic\\tim", "$'victim'", "vic''tim", "$v", '"$v"', "vict*", "{victim,}"
]  # fmt: skip
PREFIXES = [
    "env ", "env -i ", "env A=1 ", "env -u A ", "nohup ", "timeout 5 ", "timeout -k 1 5 ", "nice ",
     "nice -n 3 ", "ionice -c 2 ", "setsid ", "stdbuf -oL ", "sudo ", "sudo -u root -- ", "time ",
     "time -p ", "command ", "builtin ", "exec ", "exec -a x ", "xargs ", "xargs -n 1 ", "env -- ",
     "find . -exec ", "busybox ", "doas ", "chroot / ", "strace -o x "
]  # fmt: skip
#: What may stand before a simple command, once: it is the shell's, not a wrapper's.
LEADS = [
    "! ", "A=1 ", "a=1 ", "a[0]=1 ", "> out ", "< in ", "2>&1 ", "<<< x ", "time ", "$SUDO "
]  # fmt: skip
FRAMES = [
    "{}; true", "true; {}", "true && {}", "true || {}", "true | {}", "{} | true", "{} & true",
     "true\n{}\ntrue", "({})", "{{ {}; }}", "if {}; then true; fi", "if true; then {}; fi",
     "while {}; do break; done", "for x in 1; do {}; done", "case a in a) {};; esac",
     "f() {{ {}; }}",
     "echo $({})", "echo `{}`", 'echo "$({})"', "echo ${{x:-$({})}}", "echo <({})", "echo > >({})",
     "cat <<E\n$({})\nE", "x=$({})", "x=$({}) true", "[ -n \"$({})\" ]", "[[ -n $({}) ]]",
     "echo $(( $({}) ))", "true # '\n{}", "true \\\n; {}", "! {}", "time {}", "{} 2>/dev/null",
     "true;{}", "echo ';' ; {}", "cat <<'E'\n'\nE\n{}", "echo \\\n; {} # '"
]  # fmt: skip
QUOTERS = [
    "sh -c {}", "bash -c {}", "eval {}", "bash -ec {}", "ssh h {}",
                           "sudo bash -c {}", "xargs sh -c {}", "trap {} EXIT", "su -c {}",
                           "env -S {}"
]  # fmt: skip


def disguise(choose: Callable[[Sequence[Any]], Any]) -> str:
    """A script that runs `rm victim`, in wrappers, quotes and frames."""
    script = choose(NAMES) + choose([" ", "\t", "  ", " \\\n "]) + choose(ARGUMENTS)
    simple = True
    for _ in range(choose(range(6))):
        kind = choose(range(4))
        if kind == 0 and simple:
            script = choose(PREFIXES) + script
        elif kind == 1 and simple:
            script, simple = choose(LEADS) + script, False
        elif kind == 2:
            script, simple = choose(FRAMES).format(script), False
        else:
            script, simple = choose(QUOTERS).format(shlex.quote(script)), True
    return str(script)


@st.composite
def disguised(draw: st.DrawFn) -> str:
    return disguise(lambda options: draw(st.sampled_from(options)))


@FUZZ
@given(st.integers(0, 2**64))
def test_no_disguise_turns_a_denial_into_an_allowance(seed: int) -> None:
    """Ten scripts for each example: making an example takes longer than judging a script."""
    choose = Random(seed).choice
    for _ in range(10):
        script = disguise(choose)
        for rules in DENYING:
            assert decide(rules, script).decision != "allow", script


@FUZZ
@given(disguised(), disguised())
def test_joined_scripts_are_as_strict_as_their_parts(first: str, second: str) -> None:
    for rules in DENYING[:2]:
        parts = [decide(rules, part).decision for part in (first, second)]
        joined = decide(rules, f"{first}\n{second}").decision
        assert STRICTNESS[joined] >= min(1, *(STRICTNESS[part] for part in parts))


# -- nothing else runs ---------------------------------------------------------------------

PIECES = st.sampled_from(
    ["touch PWNED", "echo", "echo hi", '"', "'", "$(", "`", ")", "((", "))", "${x:-", "}",
     "${", "$x",
     "x=", "=", "{ ", "; }", ";", "&", "&&", "||", "|", "\n", " ", "\t", "\\", "\\\n", "#", " #",
     "<<E\n",
     "<<-E\n", "\nE\n", "<<'E'\n", "E", "E\\\n", "\n\tE\n", "<<<", "<(", ">(", ">", "<", "2>&1",
     "&>",
     "if ", "then ", "; fi", "while ", "do ", "; done", "for i in a; do ", "case a in a) ",
     ";; esac",
     ";;", "! ", "[ ", "[[ ", " ]", " ]]", "-v ", "-eq ", "a[$(touch PWNED)]", "$((x))", "time ",
     "coproc ", "eval ", "exec ", "env ", "f() {", "alias ", "let ", "printf -v ", "read ", "trap ",
     "declare -i ", "$'", '$"', "\\x74ouch", "''", "{a,b}", "{touch,PWNED}", "*", "~", "\\ ", "\r",
     "\x0b", "\xa0", "\u2028", "1", "--", "${x@P}", "${!x}", "$[", "${x/", '"$@"', "set -- ",
     "IFS=",
     "PATH=. ", "\\`", "\\$", '\\"', "${x:=", "xargs ", "bash -c ", "timeout 5 ", "`touch PWNED`",
     "$(touch PWNED)", "${x:-$(touch PWNED)}", "<(touch PWNED)", "echo $(echo)", "; ",
     "x='a[$(touch PWNED)]';"]
)  # fmt: skip
SCRIPTS = st.one_of(
    st.lists(st.tuples(PIECES, st.sampled_from(["", " "])), max_size=9).map(
        lambda pieces: "".join(a + b for a, b in pieces)
    ),
    st.tuples(
        st.sampled_from(
            ["echo hi", 'echo "a b" c', "echo $(echo hi)", "echo <<E\nhi\nE\n", "echo ${x:-a}",
             "if echo a; then echo b; fi", "for i in a; do echo $i; done", "x=1; echo $x",
             "echo `echo a`", "echo <<E\n$(echo)\nE", "echo # touch PWNED", "echo '$(touch PWNED)'",
             'echo "\\$(touch PWNED)"', "echo <<'E'\n$(touch PWNED)\nE", "[ -n a ] && echo",
             'echo "$(echo <<\'E\'\n$(touch PWNED)\nE\n)"', "case a in a) echo;; esac"]
        ),
        st.lists(st.tuples(st.floats(0, 1), PIECES), min_size=1, max_size=4),
    ).map(lambda drawn: _inserted(*drawn)),
)  # fmt: skip


def _inserted(script: str, pieces: list[tuple[float, str]]) -> str:
    for where, piece in pieces:
        at = round(where * len(script))
        script = script[:at] + piece + script[at:]
    return script


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A directory with nothing to be found in it, and few programs on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("touch", "env", "timeout", "xargs", "bash"):
        program = shutil.which(name)
        assert program is not None
        (programs / name).symlink_to(program)
    work = tmp_path / "work"
    work.mkdir()
    yield work


def run(script: str, work: Path) -> list[str]:
    """Run a script in a real bash and say what it left behind."""
    environment = {"PATH": str(work.parent / "bin"), "HOME": str(work)}
    try:
        subprocess.run(
            ["/bin/bash", "-c", script],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ["a process that does not end"]
    left = sorted(path.name for path in work.iterdir())
    for path in work.iterdir():
        path.unlink()
    return left


ECHO = policy(allow=["bash(echo:*)"])
WRAPPED = policy(allow=[f"bash({name}:*)" for name in ("echo", "env", "timeout", "xargs", "bash")])
NO_TOUCH = policy(deny=["bash(touch:*)"], default_decision="allow")


@FUZZ
@given(script=SCRIPTS)
def test_what_narrow_rules_allow_runs_nothing_else(script: str, canary: Path) -> None:
    if decide(WRAPPED, script).decision == "allow":
        assert run(script, canary) == []
    else:
        assert decide(ECHO, script).decision != "allow"


@FUZZ
@given(script=SCRIPTS)
def test_what_a_denial_lets_pass_does_not_run_it(script: str, canary: Path) -> None:
    if "touch" in script and decide(NO_TOUCH, script).decision == "allow":
        # `> touch` makes a file of that name, and runs nothing.
        # Without arguments `"$@"` is nothing.
        targets = re.findall(r""">[>&|]*\s*(?:"\$@")*(\w+|'[^']*'|"(?:\\.|[^"\\])*")""", script)
        files = {re.sub(r"""['"]|\\(?=[$`"\\])""", "", name) for name in targets}
        assert set(run(script, canary)) <= files


def test_the_canary_sings(canary: Path) -> None:
    assert run("touch PWNED", canary) == ["PWNED"]


# -- it always answers ---------------------------------------------------------------------


@FUZZ
@given(
    st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
)
def test_any_text_is_judged(script: str) -> None:
    commands(script)
    assert decide(ECHO, script).decision in STRICTNESS


@FUZZ
@given(disguised())
def test_a_hint_is_good_for_what_it_says(script: str) -> None:
    """Following the flag of a refusal allows the very same call."""
    decision = decide(policy(allow=["bash(echo:*)"]), script)
    if decision.decision == "ask":
        flags = shlex.split(decision.hint)
        assert flags[::2] == ["--allow"] * (len(flags) // 2)
        wider = policy(allow=["bash(echo:*)", *flags[1::2]])
        assert decide(wider, script).decision == "allow"


# -- wildcards -----------------------------------------------------------------------------


@FUZZ
@given(st.text("ab* \n", max_size=8), st.text("ab \n", max_size=12))
def test_wildcards_are_what_a_regular_expression_says(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, text) == bool(re.fullmatch(expression, text, re.DOTALL))


@FUZZ
@given(st.text("ab*", max_size=6), st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_what_matches_could_match(pattern: str, head: str, rest: str) -> None:
    if matches(pattern, head + rest):
        assert could_match(pattern, head)


@FUZZ
@given(
    st.lists(st.sampled_from(["a", "b", "*", "**", "a*"]), max_size=5),
    st.lists(st.sampled_from(["a", "b", "ab"]), max_size=6),
)
def test_path_globs_are_what_a_regular_expression_says(pattern: list[str], path: list[str]) -> None:
    expression = "".join(
        r"(?:/[^/]+)*" if part == "**" else "/" + part.replace("*", "[^/]*") for part in pattern
    )
    whole = "".join(f"/{part}" for part in path)
    assert path_matches("/".join(pattern), "/".join(path)) == bool(re.fullmatch(expression, whole))
