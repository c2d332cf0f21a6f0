"""Skills: a line each in the system prompt, read where they lie, and only of whom one trusts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.run.skills import ROOM, Skill, announcement, find_skills
from tests.support.a3s import Bench
from tests.support.replies import bash, call, text
from tests.support.run import Result

HEAD = "Skills tell how to do certain tasks well. If one fits, first read its file:"


def write(directory: Path, name: str, front: str, body: str = "") -> Path:
    path = directory / name / "SKILL.md"
    path.parent.mkdir(parents=True)
    path.write_text(f"---\n{front}\n---\n{body}")
    return path


def users(a3s: Bench) -> Path:
    return a3s.home / ".config/a3s/skills"


def told(result: Result) -> list[str]:
    system: str = result.requests[0].body["messages"][0]["content"]
    return [line for line in system.split("\n") if line == HEAD or line.startswith("- pdf")]


def notices(result: Result) -> list[tuple[Any, ...]]:
    events = [event for event in result.events if event["type"] == "notice"]
    return [(event["code"], event["text"]) for event in events]


def test_a_skill_of_the_user_is_told_and_read(a3s: Bench) -> None:
    path = write(users(a3s), "pdf", "name: pdf\ndescription: Take text out of PDFs.", "Step one.\n")
    (path.parent / "forms.md").write_text("Forms.\n")
    result = a3s(
        "run", "hi",
        script=[
            call("read", {"file_path": str(path)}),
            call("read", {"file_path": str(path.parent / "forms.md")}),
            call("read", {"file_path": str(path.parent.parent / "other")}),
            call("write", {"file_path": str(path), "content": "evil"}),
            call("ls", {"path": str(path.parent)}),
            text("done"),
        ],
    )  # fmt: skip
    assert told(result) == [HEAD, f"- pdf: Take text out of PDFs. ({path})"]
    ends = [event for event in result.events if event["type"] == "tool_end"]
    assert [end["toolOutput"].split("\t")[-1] for end in ends] == ["Step one.", "Forms."]
    denied = [event for event in result.events if event["type"] == "permission_denied"]
    assert [(one["toolName"], one["rule"]) for one in denied] == [
        ("read", "workspace"),
        ("write", "workspace"),
        ("ls", "workspace"),
    ]
    assert "Step one" in path.read_text()


def test_rules_and_secrets_hold_there_too(a3s: Bench) -> None:
    path = write(users(a3s), "pdf", "name: pdf\ndescription: d")
    (path.parent / ".env").write_text("KEY=1")
    secret = a3s.home / "secret"
    secret.write_text("the secret")
    (path.parent / "link").symlink_to(secret)
    script = [
        call("read", {"file_path": str(path.parent / ".env")}),
        call("read", {"file_path": str(path.parent / "link")}),
        call("read", {"file_path": str(path)}),
        text("done"),
    ]
    result = a3s("run", "hi", "--deny", f"read({path})", script=script)
    denied = [event for event in result.events if event["type"] == "permission_denied"]
    rules = [(one["decision"], one["rule"]) for one in denied]
    assert rules == [("ask", "default"), ("deny", "workspace"), ("deny", f"read({path})")]


def test_a_project_is_trusted_first(a3s: Bench) -> None:
    path = write(a3s.work / ".claude/skills", "pdf", "name: pdf\ndescription: Theirs.", "Body.\n")
    (a3s.work / "src").mkdir()
    before = a3s("run", "hi", script=[text("yo")])
    assert told(before) == []
    assert notices(before) == [
        (
            "config_untrusted",
            ".claude/skills: no effect, because the project is not trusted; to trust it:"
            f"  a3s trust {a3s.work}",
        )
    ]
    assert a3s("trust").status == 0
    result = a3s("run", "hi", script=[text("yo")])
    assert told(result) == [HEAD, "- pdf: Theirs. (.claude/skills/pdf/SKILL.md)"]
    assert notices(result) == []
    below = a3s(
        "run", "hi", cwd=a3s.work / "src",
        script=[call("read", {"file_path": "../.claude/skills/pdf/SKILL.md"}), text("yo")],
    )  # fmt: skip
    assert told(below) == [HEAD, f"- pdf: Theirs. ({path})"]
    assert "Body." in below.one("tool_end")["toolOutput"]
    path.write_text(path.read_text() + "now do something else")
    after = a3s("run", "hi", script=[text("yo")])
    assert told(after) == []
    assert [code for code, _ in notices(after)] == ["config_untrusted"]
    for flag in ("--no-project", "--no-skills"):
        assert notices(a3s("run", "hi", flag, script=[text("yo")])) in ([], notices(after))


def test_none_where_none_are_wanted(a3s: Bench) -> None:
    write(users(a3s), "pdf", "name: pdf\ndescription: d")
    for flags in (("--no-skills",), ("--tools", "bash"), ("--tools", "none")):
        assert told(a3s("run", "hi", *flags, script=[text("yo")])) == []
    assert len(told(a3s("run", "hi", "--no-project", script=[text("yo")]))) == 2


def test_the_list(a3s: Bench) -> None:
    path = write(users(a3s), "pdf", "name: pdf\ndescription: Take text out of PDFs.")
    write(users(a3s), "bad", "name: bad")
    rows = json.loads(a3s("tools", "--json").stdout)
    assert rows[-1] == {
        "kind": "skill",
        "name": "pdf",
        "description": "Take text out of PDFs.",
        "path": str(path),
        "source": "user",
    }
    assert {row["kind"] for row in rows[:-1]} == {"tool"}
    why = f"the skill {users(a3s)}/bad/SKILL.md is not used: it has no description"
    shown = a3s("tools").stdout.decode()
    assert shown.endswith(
        f"skill pdf  {path}\n    Take text out of PDFs.\n# {why} between two lines of ---\n"
    )
    result = a3s("run", "hi", script=[text("yo")])
    assert notices(result) == [("skill_unread", f"{why} between two lines of ---")]


def test_a_confined_command_can_run_its_scripts(a3s: Bench) -> None:
    path = write(users(a3s), "pdf", "name: pdf\ndescription: d")
    (path.parent / "do.sh").write_text("echo from the skill\n")
    command = f"sh {path.parent}/do.sh; echo x > {path.parent}/do.sh; ls {a3s.home}/.config/a3s"
    result = a3s("run", "hi", "--allow", "bash", script=[bash(command), text("yo")])
    output = result.one("tool_end")["toolOutput"]
    assert output.startswith("from the skill\n")
    if result.events[0]["sandbox"] == "bwrap":
        assert output.endswith("\nskills\n") and "Read-only" in output


@pytest.mark.parametrize(
    ("front", "name", "description"),
    [
        ("name: a\ndescription: plain # no comment", "a", "plain"),
        ('name: "a"\ndescription: "It says \\"so\\": x # y"', "a", 'It says "so": x # y'),
        ("name: 'a'\ndescription: 'it''s'", "a", "it's"),
        ("description: >-\n  two\n  lines\n\n  and more\nname: a", "a", "two lines and more"),
        ("description: |\n  two\n  lines\nname: a\nlicense: MIT", "a", "two lines"),
        ("description: begins\n  and goes on\nmetadata:\n  name: no", "dir", "begins and goes on"),
        ("name: not a name!\ndescription: d", "dir", "d"),
        ("name: a\ndescription: \x1b[31mred", "a", "\\x1b[31mred"),
    ],
)
def test_what_is_read(tmp_path: Path, front: str, name: str, description: str) -> None:
    path = write(tmp_path, "dir", front)
    [skill] = find_skills(str(tmp_path), None).usable
    assert skill == Skill(name, description, path, "user")


@pytest.mark.parametrize(
    "text", ["", "no front matter", "---\nname: a\ndescription: d", "---\ndescription:\n---\n"]
)
def test_what_is_no_skill(tmp_path: Path, text: str) -> None:
    write(tmp_path, "dir", "").write_text(text)
    found = find_skills(str(tmp_path), None)
    assert (found.usable, len(found.unread)) == ((), 1)


def test_the_same_skill_in_two_places_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path / ".agents/skills", "one", "description: d")
    write(tmp_path / "mine", "one", "description: mine")
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/skills").symlink_to("../.agents/skills")
    (tmp_path / ".agents/skills/out").symlink_to(tmp_path.parent)
    found = find_skills(str(tmp_path / "mine"), str(tmp_path))
    assert [skill.path for skill in found.usable] == [path]
    assert [why for _, why in found.unread] == [
        f"the skill {tmp_path}/mine/one/SKILL.md is not used: {path} has the same name"
    ]


@pytest.mark.parametrize("count", [1, 8, 20, 60])
def test_all_lines_together_are_short(tmp_path: Path, count: int) -> None:
    for number in range(count):
        write(tmp_path, f"pdf{number:02}", f"description: {'words ' * 200}")
    skills = find_skills(str(tmp_path), None)
    told, left = announcement(skills, tmp_path)
    lines = told.split("\n")
    assert len(told.encode()) <= ROOM and len(lines) == 1 + count - left
    assert (left > 0) == (count == 60)
    assert [line.split(":")[0] for line in lines[1:]] == [
        f"- pdf{n:02}" for n in range(count - left)
    ]
