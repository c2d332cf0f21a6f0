"""The options of a session: the library's counterpart of the command line's flags.

An option means what the flag of the same name means. An unknown name raises
AttributeError, which suggests the nearest one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, dataclass_transform

from ..values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from ..permissions.approval import Answer, Question
    from .function_tool import FunctionTool


class PermissionPolicy(Value):
    """Permission rules such as `bash(git log:*)`; deny > ask > allow > default.

    They replace the allow and ask rules of the user's configuration; its deny
    rules, and those of an untrusted project, always apply.

    allow: calls that run without approval.
    deny: calls that never run.
    ask: calls that need approval (`SessionOptions.on_ask`).
    default_decision: what to do with a call that no rule covers.
    """

    allow: Sequence[str] = ()
    deny: Sequence[str] = ()
    ask: Sequence[str] = ()
    default_decision: Literal["allow", "ask", "deny"] = "ask"


@dataclass_transform(kw_only_default=True)
class _Named:
    """A class that accepts only the attributes that it declares."""

    def __init__(self, **given: Any) -> None:
        for name, value in given.items():
            setattr(self, name, value)

    # With this in sight, a type checker would accept any name.
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
    """Options of a session; None leaves an option to the configuration.

    An unknown name raises AttributeError, which suggests the nearest one.

    Model:
      model               "provider/model".
      max_tokens          Maximum number of output tokens of one response.
      temperature         Sampling temperature, from 0 to 2.
      reasoning           How much the model may reason: none, low, medium or high.

    Prompt:
      system              Replaces the system prompt.
      role                Appended to the system prompt, like the next three, in this order.
      guidelines          Appended to the system prompt.
      response_style      Appended to the system prompt.
      extra               Appended to the system prompt.

    Tools and permissions:
      tools               Names of built-in tools and functions made with `tool`; by default
                          all built-in tools.
      mcp_servers         MCP servers beside the configured ones: {"NAME": {"command": …,
                          "args": [...]}} or {"url": …}, as in the JSON files of a3s-mcp(5).
      mcp                 Names of the MCP servers to use, only these; () for none.
      permission_policy   The rules, as a PermissionPolicy.
      on_ask              A function, plain or async, called with a Question for each call that
                          needs approval. It returns "once", "always" (for the rest of the
                          session) or "no". Or "stream": EventStream.answer answers then.
                          If it is None, such a call is denied.
      read_only           True: no tool changes a file of the workspace.
      sandbox             Confinement of commands: "auto" (where possible), "require" or "off".
      network             "off" withholds the network from commands and tools.
      protect             Which changes to protected files are reverted after a command: "all"
                          that are not in the recorded history, or with "tracked" only those
                          of them that differ from HEAD.
      env                 Names of additional environment variables that commands may see.
      redact_env          Names of environment variables whose values are hidden in all output.

    Limits:
      max_turns           Maximum number of model responses in a run (50).
      max_tool_calls      Maximum number of tool calls in a run.
      max_parallel        Maximum number of tool calls at the same time (8).
      max_attachment_bytes  Maximum size of one attachment (20 MB).
      max_cost            Maximum cost of a run in US dollars.
      max_retries         Maximum number of retries of one request (4).
      max_response_bytes  Maximum size of one response, including its calls (64 MiB).
      timeout             Seconds for a whole run.
      tool_timeout        Seconds for one tool call (120).
      idle_timeout        Seconds without data in the middle of a response (60).
      first_byte_timeout  Seconds until a response begins (300).

    Sessions:
      session_id          Saves the conversation on disk under this id; an existing one is
                          continued.
      store               Directory of saved sessions; by default the command line's. Without
                          session_id and store, nothing is saved.
      project             Whether to read the workspace's AGENTS.md and configuration (True).
      skills              Whether skills are offered to the model (True).
    """

    model: str | None = None
    permission_policy: PermissionPolicy | None = None
    mcp_servers: Mapping[str, Mapping[str, Any]] | None = None
    mcp: Sequence[str] | None = None
    tools: Sequence[str | FunctionTool] | None = None
    system: str | None = None
    role: str | None = None
    guidelines: str | None = None
    response_style: str | None = None
    extra: str | None = None
    max_turns: int | None = None
    max_tool_calls: int | None = None
    max_parallel: int | None = None
    max_tokens: int | None = None
    max_attachment_bytes: int | None = None
    max_cost: float | None = None
    max_retries: int | None = None
    max_response_bytes: int | None = None
    timeout: float | None = None
    tool_timeout: float | None = None
    idle_timeout: float | None = None
    first_byte_timeout: float | None = None
    temperature: float | None = None
    reasoning: Literal["none", "low", "medium", "high"] | None = None
    on_ask: Callable[[Question], Answer | Awaitable[Answer]] | Literal["stream"] | None = None
    session_id: str | None = None
    store: Path | str | None = None
    project: bool = True
    skills: bool = True
    sandbox: Literal["auto", "require", "off"] | None = None
    network: Literal["on", "off"] | None = None
    protect: Literal["all", "tracked"] | None = None
    read_only: bool | None = None
    env: Sequence[str] = ()
    redact_env: Sequence[str] = ()

    def copy(self) -> SessionOptions:
        """Return a copy; changing the original does not affect sessions made from it."""
        return SessionOptions(**vars(self))
