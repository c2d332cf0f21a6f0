"""Which tools can be meant by a call that must be made: read off the words of a prompt.

A small model that has to call something calls what an example of similar words called. Left
with the tools that can answer at all, it mostly takes the right one: a number is counted by a
command, what a program prints is seen by running it, a place in the code is searched for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..messages import ToolCall, ToolSpec
from ..values import replace
from . import intent, leftovers, restraint

#: What a program does can be seen only by running it.
_RUNS = re.compile(
    r"\b(?:run|runs|execute|executes|print|prints|output|outputs|crash\w*|fails?|failing|error"
    r"|exits?|happens?|start|starts|stops?)\b",
    re.IGNORECASE,
)
_PROGRAM = re.compile(r"\.(?:py|sh|js|mjs|rb|pl)$", re.IGNORECASE)
_SEARCHES = re.compile(
    rf"{intent.WHERE}"
    r"|\b(?:which|what|in which|in what|the)\s+files?\b.*\b(?:defin\w+|declar\w+|mention\w*"
    r"|contain\w*|us(?:es?|ing)|import\w*|call\w*|implement\w*|def|class|function|has|have)\b"
    r"|\b(?:TODO|FIXME)s?\b",
    re.IGNORECASE,
)
#: A name, where `called` alone is what is done with a function.
_NAMED = re.compile(
    r"\b(file|folder|directory|program|script)\s+(?:that\s+is\s+)?(?:called|named)\b", re.IGNORECASE
)
#: What chooses files by more than their names, or a line by its place.
_SORTS_FILES = re.compile(
    r"\b(?:largest|biggest|smallest|newest|oldest|latest|longest|shortest)\b"
    r"|\bfiles?\b.*\b(?:empty|executable|larger|bigger|smaller|newer|older)\b"
    r"|\b(?:empty|executable)\s+(?:\S+\s+)?(?:files?|director(?:y|ies)|folders?)\b"
    r"|\b(?:first|last)\s+(?:\S+\s+){0,2}?(?:lines?|rows?|entry|entries|errors?|warnings?"
    r"|messages?)\b",
    re.IGNORECASE,
)
#: Changes of many places, or of whole lines, for which a command is the better tool.
_MANY = re.compile(
    r"\b(?:all|every|each|lines?|sort\w*|order|alphabetical\w*|remove|delete|everywhere|move|copy"
    r"|executable)\b",
    re.IGNORECASE,
)


#: Lines of a file that an edit can be made to choose from.
MOST_LINES = 80
#: A file that gets another name.
_RENAMED = re.compile(
    r"\b(?:rename|name of)\s+(?:the\s+)?(?:file\s+)?[`'\"]?[\w/-]*\.\w+", re.IGNORECASE
)


def first(prompt: str, workspace: Path) -> frozenset[str]:
    """Return the names of the tools that a look can begin with; empty for all of them."""
    files = intent.files(prompt, workspace)
    change = intent.may_change(prompt)
    if intent.shown(prompt, workspace):
        return frozenset(("read",))
    if intent.program(prompt) or intent.is_about_machine(prompt):
        return frozenset(("bash",))
    if mends(prompt, workspace):
        return frozenset(("read",))
    if intent.may_change(prompt) and intent.wants_change(prompt, workspace):
        if fills(prompt, workspace):
            return frozenset(("bash",))
        # What is to be changed is named: nothing has to be looked for.
        return frozenset(("bash", "edit", "read", "write")) if files else frozenset()
    if is_run(prompt, workspace):
        return frozenset(("bash",))
    if _searches(prompt) and not files and not intent.wants_number(prompt):
        return frozenset(("grep",))
    if intent.wants_number(prompt) and (files or intent.counts(prompt)):
        return frozenset(("bash",))
    if _SORTS_FILES.search(prompt):
        return frozenset(("bash",))
    if intent.to_be_read(prompt, workspace):
        return frozenset(("read",))
    return (
        frozenset(("ls", "glob", "grep", "bash"))
        if not change and not has_name(prompt)
        else frozenset()
    )


def fills(prompt: str, workspace: Path) -> bool:
    """Return whether a file is to be made of others, which stay as they are."""
    return bool(leftovers.unmade(prompt, workspace) and intent.files(prompt, workspace))


def finds(prompt: str, name: str) -> bool:
    """Return whether the place of a file of this name is asked for, and not what mentions it."""
    return name in prompt and intent.name_in(name) == name and not _searches(prompt)


def _searches(prompt: str) -> bool:
    return bool(_SEARCHES.search(_NAMED.sub(r"\1", prompt)))


def is_run(prompt: str, workspace: Path) -> bool:
    """Return whether a program of the directory is named, and what it does is asked for."""
    programs = [path for path in intent.files(prompt, workspace) if _PROGRAM.search(path)]
    return bool(programs and _RUNS.search(intent.without_names(prompt)))


def has_name(prompt: str) -> bool:
    """Return whether a prompt names a file, be it there or not."""
    return intent.without_names(prompt) != prompt


def mends(prompt: str, workspace: Path) -> bool:
    """Return whether one place of one file is to be another: it is read, then edited."""
    if not intent.alters(prompt) or len(intent.files(prompt, workspace)) != 1:
        return False
    if leftovers.unmade(prompt, workspace) or _RENAMED.search(prompt):
        return False
    return not _MANY.search(intent.without_names(prompt))


def next_step(prompt: str, workspace: Path, calls: Sequence[tuple[ToolCall, bool]]) -> str:
    """Return the tool that has to be called now: `edit` once the file to mend has been read."""
    if len(calls) != 1 or calls[0][1] or calls[0][0].name != "read":
        return ""
    same = restraint.path_of(calls[0][0]) in intent.files(prompt, workspace)
    return "edit" if same and mends(prompt, workspace) else ""


def narrowed(tool: ToolSpec, path: Path) -> ToolSpec:
    """Return the tool `edit` for one small file: what is to be replaced is some of its lines."""
    lines = leftovers.text_of(path).split("\n")
    if not 0 < len(lines) <= MOST_LINES or not any(line.strip() for line in lines):
        return tool
    known: dict[str, Any] = tool.parameters.get("properties", {})
    replaced = {**known.get("old_string", {}), "lines": lines}
    return replace(
        tool, parameters={**tool.parameters, "properties": {**known, "old_string": replaced}}
    )
