"""a3s: an agent that streams every event.

The library's public names. Each is imported on first use, because the command
line needs few of them and must start fast.
"""

#: As `typing` has it, whose import would take longer than all of this file.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .api.agent import Agent
    from .api.batch import Batch
    from .api.direct_call import ToolOutcome
    from .api.event_stream import EventStream
    from .api.function_tool import FunctionTool, tool
    from .api.options import PermissionPolicy, SessionOptions
    from .api.result import Result
    from .api.session import Session
    from .errors import A3SError, SessionBusy
    from .events import AnyEvent, Event
    from .permissions.approval import Question
    from .version import __version__

#: Each public name and the module that defines it.
_HOMES = {
    "A3SError": "errors",
    "Agent": "api.agent",
    "AnyEvent": "events",
    "Batch": "api.batch",
    "Event": "events",
    "EventStream": "api.event_stream",
    "FunctionTool": "api.function_tool",
    "PermissionPolicy": "api.options",
    "Question": "permissions.approval",
    "Result": "api.result",
    "Session": "api.session",
    "SessionBusy": "errors",
    "SessionOptions": "api.options",
    "ToolOutcome": "api.direct_call",
    "__version__": "version",
    "tool": "api.function_tool",
}
# Written out, because type checkers read it.
__all__ = [
    "A3SError",
    "Agent",
    "AnyEvent",
    "Batch",
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
    "__version__",
    "tool",
]


def __getattr__(name: str) -> "Any":
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
