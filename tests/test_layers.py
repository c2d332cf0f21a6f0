"""Who may import whom: strictly down, never sideways between two names on one line.

The table is the house's plan. An arrow that points up, or between siblings, is
a failing test; so is a module that nobody has given a place.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "a3s_cli"

#: From the bottom up. A name stands for the module, or for everything in the package.
LAYERS = [
    # what must not be seen, in whatever anybody says
    ["masking", "redaction", "values"],
    # words and pure helpers
    [
        "__init__",
        "errors",
        "messages",
        "validation",
        "registry",
        "leave",
        "files",
        "web",
        "approval",
        "fingerprint",
        "closing",
        "blocking",
    ],
    ["process", "supervisor", "providers.base"],
    # what things are
    ["events", "account", "prompt", "retry", "sse", "record", "tools.base", "sandbox"],
    ["redacted_events", "wire", "terminal_event", "event_schema", "permissions", "output"],
    ["redacted_request", "debug_log", "emitter", "capture", "config", "recording", "objects"],
    ["shortening"],
    # the effects, and one call, one response, one recording
    ["environment", "transport", "execution", "response", "playback", "audit", "sessions"],
    # may a call run?
    ["judgement"],
    # what is plugged in
    ["providers", "tools", "calls", "nested"],
    ["local", "conversation"],
    ["compaction"],
    ["loop", "keeping"],
    # one run
    ["confinement"],
    ["plan", "trust", "catalogue"],
    ["assembly", "policy_test", "function_tool"],
    ["runner", "buffer", "run_plan", "options", "callback_approval", "result"],
    # the library
    ["stream", "session_plan"],
    ["session_runs"],
    ["session"],
    ["agent"],
    ["foreground", "manual", "serve"],
    # the command line
    ["cli"],
    ["__main__", "manual.__main__"],
]
#: Bridges that are no arrows: a function's own import of what only looks upward.
ALLOWED = {("events", "wire")} | {
    ("__init__", f"{name}")
    for name in (
        "agent",
        "approval",
        "fingerprint",
        "errors",
        "events",
        "function_tool",
        "options",
        "result",
        "session",
        "session_runs",
        "stream",
    )
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if len(parts) > 1 and parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts)


def layer_of(name: str) -> int:
    for place in (name, name.partition(".")[0]):
        for number, names in enumerate(LAYERS):
            if place in names:
                return number
    raise AssertionError(f"{name} has no place in the plan")


def imports(path: Path) -> set[str]:
    """The modules of the package that this file imports, wherever it does so."""
    own = name_of(path).split(".")
    package = own if path.name == "__init__.py" and own != ["__init__"] else own[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            if node.module:
                base = [*base, *node.module.split(".")]
            for alias in node.names:
                target = ".".join([*base, alias.name])
                if (PACKAGE / Path(*target.split("."))).with_suffix(".py").exists():
                    found.add(target)
                elif base:
                    found.add(".".join(base))
                else:
                    found.add("__init__")
    return found


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_down(path: Path) -> None:
    own = name_of(path)
    package = own.partition(".")[0]
    wrong = []
    for target in sorted(imports(path)):
        within = target.partition(".")[0] == package
        if within or (own, target) in ALLOWED:
            continue
        if layer_of(target) >= layer_of(own):
            wrong.append(target)
    assert wrong == []


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
