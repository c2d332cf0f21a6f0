"""What rules are attacked with, proven in a real bash; and what people type with such rules.

`attacks.json` holds scripts that no rule of their group may let through without a question.
Each that is `proven` is run here as bash runs it, in a directory of its own: it makes a file
or removes one, so that letting it through would have done so too. The others need what is
not everywhere (a cluster, a service, a person), and stand on the documentation of their program.
`daily.json` holds what must pass.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess  # noqa: TID251
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.permissions.policy import Policy
from a3s_cli.tool_protocol import Subject

TOOLS = ["bash", "read", "write", "edit", "grep", "glob", "ls", "web_fetch", "generate_object"]
HERE = Path(__file__).parent
ATTACKS: list[dict[str, Any]] = json.loads((HERE / "attacks.json").read_text())
DAILY: list[dict[str, Any]] = json.loads((HERE / "daily.json").read_text())
PROVEN = [group for group in ATTACKS if group.get("proven")]
#: What scripts are given to run, and to change.
MAKES = "#!/bin/bash\ntouch PWNED\n"
MAKEFILE = "all test:\n\t@echo $(X) $(CC) $(FOO)\n"


def named(group: dict[str, Any]) -> str:
    return "-".join([*group["allow"], *group["deny"]])[:60]


def decision(group: dict[str, Any], script: str) -> str:
    policy = Policy(allow=group["allow"], deny=group["deny"], tools=TOOLS, reading=True)
    return policy.decide("bash", Subject("command", script), confined=True).decision


@pytest.mark.parametrize("group", ATTACKS, ids=named)
def test_no_attack_is_let_through(group: dict[str, Any]) -> None:
    scripts = [*group.get("proven", ()), *group.get("documented", ())]
    assert [each for each in scripts if decision(group, each) == "allow"] == [], group["why"]


@pytest.mark.parametrize("group", DAILY, ids=named)
def test_what_people_type_is_let_through(group: dict[str, Any]) -> None:
    assert [each for each in group["scripts"] if decision(group, each) != "allow"] == []


def test_there_are_enough_to_mean_something() -> None:
    assert sum(len(group["proven"]) for group in PROVEN) >= 500
    assert sum(len(group.get("documented", ())) for group in ATTACKS) >= 500
    assert sum(len(group["scripts"]) for group in DAILY) >= 450


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two commits, programs that leave a mark, and a file to lose."""
    work = tmp_path_factory.mktemp("attacked")
    for name in ("evil", "evil.sh"):
        (work / name).write_text(MAKES)
        (work / name).chmod(0o755)
    for name in "abfxy":
        (work / name).write_text("a\nb\nc\n")
    (work / "victim").write_text("v\n")
    (work / "a.c").write_text("int main(void){return 0;}\n")
    (work / "Makefile").write_text(MAKEFILE)
    made = "tar cf a.tar a && git init -q . && git add -A && git commit -qm x"
    made += " && echo d >> a && git commit -qam y"
    subprocess.run(["bash", "-c", made], cwd=work, env=environment(work), check=True)
    return work


def environment(work: Path) -> dict[str, str]:
    people = {
        f"GIT_{one}_{two}": "a@b" for one in ("AUTHOR", "COMMITTER") for two in ("NAME", "EMAIL")
    }
    return {"PATH": os.environ["PATH"], "HOME": str(work), "LANG": "C.UTF-8", **people}


def leaves_its_mark(script: str, work: Path, seconds: float = 20) -> bool:
    """Run a script until it has made the file, or removed one, or ended."""
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=work,
        env=environment(work),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            if (work / "PWNED").exists() or not (work / "victim").exists():
                return True
            if process.poll() is not None:
                # What it has started in the background may need a moment more.
                until = min(until, time.monotonic() + 2)
            time.sleep(0.005)
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="the programs are those of a GNU system")
@pytest.mark.parametrize("group", PROVEN, ids=named)
def test_the_attacks_are_real(group: dict[str, Any], template: Path, tmp_path: Path) -> None:
    programs = {rule[5:].split(":")[0].split()[0] for rule in group["allow"] if "(" in rule}
    if missing := sorted(each for each in programs if not on_path(each)):
        pytest.skip(f"{missing[0]} is not installed")
    without = []
    for number, script in enumerate(group["proven"]):
        work = tmp_path / str(number)
        shutil.copytree(template, work)
        if not leaves_its_mark(script, work) and all(map(on_path, script.split()[:1])):
            without.append(script)
    assert without == []


def on_path(name: str) -> bool:
    """Whether bash finds a program or a builtin of this name."""
    found = subprocess.run(["bash", "-c", 'type -- "$0"', name], capture_output=True, check=False)
    return found.returncode == 0
