"""Skills: directories with a SKILL.md; the model gets one line about each.

A skill is read when a task calls for it: the system prompt has its name, its
description and its path, and the tool `read` shows the rest. The user's skills count
always, a project's only if the project is trusted (`config.trusted`). A skill that cannot
be used is reported, never silently ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ..config.places import SKILLS
from ..files.workspace import printable
from ..values import Value

#: Bytes of all that the system prompt says of skills.
ROOM = 2048
FILE = "SKILL.md"
#: Bytes of a SKILL.md in which its name and description have to be.
_HEAD = 64 * 1024
_MOST = 500
#: Characters of a description to which many skills may be cut.
_SHORTEST = 40
_INTRODUCTION = "Skills tell how to do certain tasks well. If one fits, first read its file:"
_KEY = re.compile(r"([A-Za-z][\w-]*):(?:\s+(.*))?$")
_NAME = re.compile(r"[\w.-]{1,64}")
_ESCAPES = {"n": " ", "t": " ", "r": " "}


class Skill(Value):
    """One skill; `path` is its SKILL.md, without symlinks."""

    name: str
    description: str
    path: Path
    source: Literal["user", "project"]


class Skills(Value):
    """The usable skills, by name, and those that are not: the file, and why, in a sentence."""

    usable: tuple[Skill, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def directories(self) -> tuple[Path, ...]:
        """The directories whose files may be read."""
        return tuple(skill.path.parent for skill in self.usable)


def find_skills(user: str | None, project: str | None) -> Skills:
    """Return the skills of a user's directory and of a trusted project."""
    usable: dict[str, Skill] = {}
    seen: set[Path] = set()
    unread: list[tuple[str, str]] = []
    places: list[tuple[str, Literal["user", "project"]]] = []
    if project is not None:
        places += [(os.path.join(project, name), "project") for name in SKILLS]
    if user is not None:
        places.append((user, "user"))
    for directory, source in places:
        for file in _files(directory):
            try:
                skill = _skill(file, source, project)
                if skill.path in seen:
                    continue  # one directory, linked into several places
                seen.add(skill.path)
                if skill.name in usable:
                    raise ValueError(f"{usable[skill.name].path} has the same name")
            except ValueError as why:
                unread.append((file, f"the skill {printable(file)} is not used: {why}"))
            else:
                usable[skill.name] = skill
    return Skills(tuple(usable[name] for name in sorted(usable)), tuple(unread))


def _files(directory: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names[:_MOST]:
        file = os.path.join(directory, name, FILE)
        if os.path.lexists(file):
            yield file


def _skill(file: str, source: Literal["user", "project"], project: str | None) -> Skill:
    """Return the skill of a SKILL.md. Raises ValueError, which says why there is none."""
    real = Path(os.path.realpath(file))
    if source == "project" and not real.is_relative_to(project or ""):
        raise ValueError("it is a link that leads out of the project")
    if printable(str(real)) != str(real):
        raise ValueError("its path has characters that cannot be shown")
    from ..files.workspace import Workspace

    try:
        with Workspace(real.parent).open_file(real) as opened:
            head = opened.read(_HEAD)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from None
    fields = _front_matter(head.removeprefix(b"\xef\xbb\xbf").decode(errors="replace"))
    description = fields.get("description", "")
    if not description:
        raise ValueError("it has no description between two lines of ---")
    name = fields.get("name", "")
    own = name if _NAME.fullmatch(name) else Path(file).parent.name
    return Skill(printable(own), description, real, source)


def _front_matter(text: str) -> dict[str, str]:
    """Return the fields at the top of a SKILL.md, each on one line.

    This is the part of YAML that such files use: plain, quoted and block strings.
    """
    first, *lines = text.splitlines() or [""]
    fields: dict[str, list[str]] = {}
    if first.rstrip() != "---":
        return {}
    key = ""
    for line in lines:
        if line.rstrip() in ("---", "..."):
            return {name: _value(pieces) for name, pieces in fields.items()}
        if found := _KEY.match(line):
            key = found[1]
            fields[key] = [found[2] or ""]
        elif key and (line[:1] in (" ", "\t") or not line.strip()):
            fields[key].append(line.strip())
    return {}  # no second line of ---


def _value(pieces: list[str]) -> str:
    head = pieces[0].strip()
    if re.fullmatch(r"[|>][+-]?[0-9]?[+-]?(\s+#.*)?", head):
        head, pieces = "", ["", *pieces[1:]]
    text = " ".join([head, *pieces[1:]]).strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
    elif len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1].replace("''", "'")
    elif head:
        text = re.split(r"\s#", text)[0]
    return printable(" ".join(text.split()))


def announcement(skills: Skills, workspace: Path) -> tuple[str, int]:
    """Return what the system prompt says of skills, and how many it has no room for."""
    rows = [(skill, _shown(skill.path, workspace)) for skill in skills.usable]
    longest = max((len(skill.description) for skill, _ in rows), default=0)
    for length in (longest, 400, 200, 100, _SHORTEST):
        text = _text(rows, length)
        if len(text.encode()) <= ROOM:
            return text, 0
    left = len(rows)
    while rows and len(text.encode()) > ROOM:
        rows.pop()
        text = _text(rows, _SHORTEST)
    return text, left - len(rows)


def _text(rows: list[tuple[Skill, str]], length: int) -> str:
    lines = [f"- {skill.name}: {_cut(skill.description, length)} ({path})" for skill, path in rows]
    return "\n".join([_INTRODUCTION, *lines]) if lines else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _shown(path: Path, workspace: Path) -> str:
    inside = path.is_relative_to(workspace)
    return str(path.relative_to(workspace) if inside else path)
