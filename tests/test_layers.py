"""Who may import whom: strictly down, from room to room, and never in a circle.

The table is the plan of the house. The files at the top of the package are its
vocabulary and stand on the lowest floor together, except those that the table
names. An import that points up, or to another room on the same floor, is a
failing test; so are a room without a floor and a circle between files, inside a
room as well. Imports inside functions count; those for type checkers do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "a3s_cli"

#: From the bottom up. A word is a room, or a file at the top of the package.
FLOORS = [
    # the vocabulary
    {
        "version", "values", "errors", "messages", "events", "jsontext", "registry", "fingerprint",
        "validation", "sse", "jsonrpc", "prompt", "model",
    },
    # what a workspace, a page of the web and a secret are
    {"files", "web", "secrets"},
    # what a tool is, what runs it, what may run; events on their way
    {"tool_protocol", "processes", "permissions", "stream"},
    {"config", "input", "output", "objects", "guard"},
    # the effects, and what was kept of them
    {"transport", "sandbox", "sessions", "audit", "prices", "shipping"},
    # what is plugged in; siblings do not see each other
    {"providers", "tools", "mcp"},
    {"local"},
    {"run"},
    {"batch"},
    {"api"},
    # front ends
    {"serve", "acp", "manual"},
    {"commands"},
    {"cli", "__main__"},
]  # fmt: skip
#: The façade: every name in it is imported when it is first used.
FACADE = "__init__"


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(name: str) -> int:
    room = name.partition(".")[0]
    for number, rooms in enumerate(FLOORS):
        if room in rooms:
            return number
    raise AssertionError(f"{name} has no floor in the plan")


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules of the package that this file imports, wherever it does so."""
    own = list(path.relative_to(PACKAGE).with_suffix("").parts)[:-1]
    found = set()
    for node in running_code(ast.parse(path.read_text())):
        if not (isinstance(node, ast.ImportFrom) and node.level):
            continue
        base = own[: len(own) - node.level + 1] + (node.module.split(".") if node.module else [])
        for alias in node.names:
            target = [*base, alias.name]
            is_module = (PACKAGE / Path(*target)).with_suffix(".py").exists()
            found.add(".".join(target if is_module else base) or FACADE)
    return frozenset(found)


def running_code(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that can run, without the blocks for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        yield node
        yield from running_code(node)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_down(path: Path) -> None:
    own = name_of(path)
    wrong = [
        target
        for target in sorted(imports(path))
        if target == FACADE
        or (floor_of(target) >= floor_of(own) and not within_one_room(own, target))
    ]
    assert wrong == []


def within_one_room(one: str, other: str) -> bool:
    """Whether both are in the same room; the vocabulary at the top is one."""
    rooms = {name.partition(".")[0] for name in (one, other)}
    return len(rooms) == 1 or rooms <= FLOORS[0] or rooms == {"cli", "__main__"}


def test_no_circle_between_files() -> None:
    graph = {name_of(path): imports(path) for path in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None


def test_the_plan_is_short_and_so_is_the_top() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    top = {path.stem for path in PACKAGE.glob("*.py")}
    assert set().union(*FLOORS) == rooms | top - {FACADE}
    assert len(FLOORS) <= 13
    assert len(top) <= 15


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
