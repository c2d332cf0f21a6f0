"""From a session's options to the request of its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.settings import KEYS
from ..errors import UsageError
from ..registry import TOOLS
from ..run.plan import chosen_tools
from ..run.request import RunRequest
from .function_tool import FunctionTool
from .options import SessionOptions

if TYPE_CHECKING:
    from ..input.attachments import Given

#: Options that are appended to the system prompt, in this order.
PARTS = ("role", "guidelines", "response_style", "extra")
#: Options that are settings of the configuration under the same name.
SETTINGS = frozenset(
    {"model", "sandbox", "network", "protect", "read_only", "env", "redact_env", *KEYS}
)


def session_request(
    workspace: Path, options: SessionOptions, config_file: str | None, config_text: str | None
) -> RunRequest:
    """Return the request that all runs of a session share. Raises UsageError, TypeError."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    if options.session_id is not None:
        from ..sessions.ids import check

        check(options.session_id)
    if isinstance(options.on_ask, str) and options.on_ask != "stream":
        raise UsageError(f'on_ask={options.on_ask!r}: expected a function, or "stream"')
    return RunRequest(
        workspace=workspace,
        settings={**{name: given[name] for name in SETTINGS & given.keys()}, **_system(given)},
        permissions=_permissions(options),
        config_file=config_file,
        config_text=config_text,
        project=options.project,
        skills=options.skills,
        tools=_built_in(given),
        mcp=None if options.mcp is None else tuple(options.mcp),
        mcp_servers=options.mcp_servers or {},
        own_tools=_own(given),
        # Only a callback answers, whatever is configured for a terminal.
        on_ask="deny",
    )


def given_attachments(given: Sequence[Path | bytes]) -> list[Given]:
    """Return what a program attaches to a prompt. Raises TypeError."""
    from ..input.attachments import Given

    found = []
    for one in given:
        if isinstance(one, bytes | bytearray | memoryview):
            found.append(Given(content=bytes(one)))
        elif isinstance(one, Path):
            found.append(Given(path=str(one)))
        else:
            raise TypeError(f"an attachment is a Path or bytes, not {type(one).__name__}")
    return found


def _own(given: Mapping[str, Any]) -> dict[str, FunctionTool]:
    own: dict[str, FunctionTool] = {}
    for tool in given.get("tools", ()):
        if not isinstance(tool, FunctionTool):
            continue
        if tool.name in TOOLS:
            raise UsageError(f"the tool {tool.name} is built in: rename the function")
        if tool.name in own:
            raise UsageError(f"there are two tools named {tool.name}")
        own[tool.name] = tool
    return own


def _built_in(given: Mapping[str, Any]) -> list[str] | None:
    if "tools" not in given:
        return None
    names = [tool for tool in given["tools"] if not isinstance(tool, FunctionTool)]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not a tool: decorate the function with `tool`")
    return chosen_tools(",".join(names) or "none")


def _permissions(options: SessionOptions) -> Mapping[str, Any] | None:
    policy = options.permission_policy
    if policy is None:
        return None
    return {
        "allow": list(policy.allow),
        "deny": list(policy.deny),
        "ask": list(policy.ask),
        "default_decision": policy.default_decision,
    }


def _system(given: Mapping[str, Any]) -> dict[str, str]:
    parts = [given[name] for name in PARTS if name in given]
    return {"append_system": "\n\n".join(parts)} if parts else {}
