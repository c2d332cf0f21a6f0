"""a3s: an agent that streams every event.

The library's names are here, and each is imported when it is first used: the
command line, which needs few of them, starts in no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .agent import Agent
    from .approval import Question
    from .errors import A3SError, SessionBusy
    from .events import AnyEvent, Event
    from .function_tool import FunctionTool, tool
    from .options import PermissionPolicy, SessionOptions
    from .result import Result
    from .session import Session
    from .session_runs import ToolOutcome
    from .stream import EventStream

#: Every public name, and the module that it is in.
_HOMES = {
    "A3SError": "errors",
    "Agent": "agent",
    "AnyEvent": "events",
    "Event": "events",
    "EventStream": "stream",
    "FunctionTool": "function_tool",
    "PermissionPolicy": "options",
    "Question": "approval",
    "Result": "result",
    "Session": "session",
    "SessionBusy": "errors",
    "SessionOptions": "options",
    "ToolOutcome": "session_runs",
    "tool": "function_tool",
}
# Written out, because type checkers read it.
__all__ = [
    "A3SError",
    "Agent",
    "AnyEvent",
    "Event",
    "EventStream",
    "FunctionTool",
    "PermissionPolicy",
    "Question",
    "Result",
    "Session",
    "SessionBusy",
    "SessionOptions",
    "ToolOutcome",
    "tool",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
