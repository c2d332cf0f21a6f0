"""Tools of installed packages: entry points of the group `a3s.tools`.

    [project.entry-points."a3s.tools"]
    sql = "a3s_sql:TOOLS"

An entry point leads to a function made with `a3s_cli.tool`, to a list of such
functions, or to a module that has some. It is imported only if the user's
configuration or a flag names it: until then an installed plug-in costs nothing and can do
nothing. Its tools run in this process.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..config.settings import Setting
from ..errors import A3SError, ConfigError, UsageError
from ..jsontext import clean
from ..registry import LOAD_TOOLS, MCP, TOOLS
from ..tool_protocol import Tool

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "a3s.tools"


class Plugin:
    """A plug-in that was named: what it is, and its tools."""

    def __init__(self, entry: EntryPoint, tools: Sequence[Tool]) -> None:
        self.tools = tools
        made = f" ({entry.dist.name} {entry.dist.version})" if entry.dist else ""
        self.source = f"plug-in {entry.name}{made}"


def load_plugins(named: Iterable[Setting]) -> list[Plugin]:
    """Import the named plug-ins, each once. Raises UsageError or ConfigError, by who named it."""
    from importlib.metadata import entry_points

    installed = {entry.name: entry for entry in entry_points(group=GROUP)}
    wanted = {setting.value: setting for setting in named}
    plugins = [
        Plugin(_entry(setting, installed), _tools(setting, _entry(setting, installed)))
        for setting in wanted.values()
    ]
    owners: dict[str, str] = dict.fromkeys(TOOLS, "a3s itself")
    for setting, plugin in zip(wanted.values(), plugins, strict=True):
        for tool in plugin.tools:
            if tool.name == LOAD_TOOLS or tool.name.startswith(MCP):
                raise _failure(setting, f"the name {tool.name} is one of tools of MCP servers")
            if tool.name in owners:
                why = f"its tool {tool.name} has the same name as one of {owners[tool.name]}"
                raise _failure(setting, why)
            owners[tool.name] = plugin.source
    return plugins


def chosen_plugin_tools(named: Sequence[Setting], wanted: Sequence[str] | None) -> dict[str, Tool]:
    """Return the tools of the named plug-ins, or those of them that are `wanted` (`--tools`).

    Raises UsageError for a tool that exists nowhere.
    """
    plugins = load_plugins(named) if named else []
    tools = {tool.name: tool for plugin in plugins for tool in plugin.tools}
    if wanted is None:
        return tools
    for name in wanted:
        if name not in TOOLS and name not in tools and not name.startswith(MCP):
            raise _unknown_tool(name, [*TOOLS, *tools])
    return {name: tool for name, tool in tools.items() if name in wanted}


def _unknown_tool(name: str, known: Sequence[str]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return UsageError(
        f"--tools: there is no tool {clean(name)[:100]!r} (known: {', '.join(known)})",
        correction=(name, near[0]) if near else None,
    )


def _entry(setting: Setting, installed: dict[str, EntryPoint]) -> EntryPoint:
    if setting.value in installed:
        return installed[setting.value]
    from difflib import get_close_matches

    near = get_close_matches(setting.value, installed, 1)
    known = f"installed: {', '.join(sorted(installed))}" if installed else "none is installed"
    meant = f"; did you mean {near[0]}?" if near else ""
    raise _failure(setting, f"no installed package has it ({known}){meant}")


def _tools(setting: Setting, entry: EntryPoint) -> Sequence[Tool]:
    try:
        # What a module prints while it is imported is not part of our stream.
        with contextlib.redirect_stdout(sys.stderr):
            found = list(_made(entry.load()))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        said = clean(f"{type(error).__name__}: {error}").split("\n")[0][:300]
        raise _failure(setting, f"it cannot be loaded: {said}") from error
    if not found or not all(isinstance(tool, Tool) for tool in found):
        raise _failure(
            setting, f"{entry.value} is neither a tool nor a list of tools (a3s_cli.tool)"
        )
    return found


def _made(loaded: Any) -> Iterator[Any]:
    if isinstance(loaded, ModuleType):
        yield from (one for one in vars(loaded).values() if isinstance(one, Tool))
    elif isinstance(loaded, Tool):
        yield loaded
    else:
        yield from loaded


def _failure(setting: Setting, why: str) -> A3SError:
    kind = UsageError if setting.origin.startswith("--") else ConfigError
    return kind(f"{setting.origin}: the plug-in {clean(setting.value)[:100]!r}: {why}")
