"""What a session may be told: the library's counterpart of the command line's flags.

Every name means what the flag of that name means, and a name that does not
exist is an error that says which one was probably meant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, dataclass_transform

from ..values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from ..permissions.approval import Answer, Question
    from .function_tool import FunctionTool


class PermissionPolicy(Value):
    """Rules such as `bash(git log:*)`: deny > ask > allow > default.

    It stands in for the user's own allow and ask rules; what their
    configuration, or an untrusted project's, denies stays denied.
    """

    allow: Sequence[str] = ()
    deny: Sequence[str] = ()
    ask: Sequence[str] = ()
    default_decision: Literal["allow", "ask", "deny"] = "ask"


@dataclass_transform(kw_only_default=True)
class _Named:
    """A class whose attributes are all declared."""

    def __init__(self, **given: Any) -> None:
        for name, value in given.items():
            setattr(self, name, value)

    # A type checker that saw this would take any name.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            known = type(self).__annotations__
            if name not in known:
                from difflib import get_close_matches

                near = get_close_matches(name, known, 1)
                meant = f"; did you mean {near[0]}?" if near else ""
                raise AttributeError(f"{type(self).__name__} has no option {name!r}{meant}")
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({given})"


class SessionOptions(_Named):
    """Options of a session; what is None is as the configuration says. Times are in seconds."""

    #: "provider/model".
    model: str | None = None
    permission_policy: PermissionPolicy | None = None
    #: Names of built-in tools and functions made with `tool`; None offers all built-in ones.
    tools: Sequence[str | FunctionTool] | None = None
    #: Replaces the system prompt.
    system: str | None = None
    #: Each adds a part of its own to the system prompt.
    role: str | None = None
    guidelines: str | None = None
    response_style: str | None = None
    extra: str | None = None
    max_turns: int | None = None
    max_tool_calls: int | None = None
    max_parallel: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    max_retries: int | None = None
    timeout: float | None = None
    tool_timeout: float | None = None
    idle_timeout: float | None = None
    first_byte_timeout: float | None = None
    temperature: float | None = None
    reasoning: Literal["none", "low", "medium", "high"] | None = None
    #: Answers what the rules ask: "once", "always" (in this run) or "no"; may be async.
    on_ask: Callable[[Question], Answer | Awaitable[Answer]] | None = None
    #: Keeps the conversation on disk under this name, and goes on with one that is there.
    #: Nothing is kept where neither this nor `store` is given.
    session_id: str | None = None
    #: The directory of kept sessions; None is where the command line keeps them.
    store: Path | str | None = None
    #: Whether the workspace's AGENTS.md and configuration are read.
    project: bool = True
    sandbox: Literal["auto", "require", "off"] | None = None
    network: Literal["on", "off"] | None = None
    read_only: bool | None = None
    #: Names of variables that commands get besides the usual ones.
    env: Sequence[str] = ()
    #: Names of variables whose values are hidden from everything that is written.
    redact_env: Sequence[str] = ()

    def copy(self) -> SessionOptions:
        """Give the same options, so that a later change of these changes no session."""
        return SessionOptions(**vars(self))
