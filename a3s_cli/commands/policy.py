"""`a3s policy test`: how `a3s run` would decide a call, without running anything."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.layers import load as load_config
from ..config.settings import Config, McpSources
from ..errors import ExitStatus, UsageError
from ..files.workspace import Workspace
from ..jsontext import dumps, is_plain, loads
from ..output.person import complain
from ..permissions.calls import decide
from ..permissions.policy import Decision
from ..registry import MCP, TOOLS, load
from ..run.plan import chosen_confinement, chosen_policy, plugin_tools, withheld_by
from ..sandbox.confinement import Confinement
from ..tool_protocol import Subject, Tool
from ..values import Value, field

if TYPE_CHECKING:
    from ..config.mcp_servers import McpServer

STATUS = {"allow": ExitStatus.OK, "ask": ExitStatus.APPROVAL, "deny": ExitStatus.POLICY}


#: The arguments that name what a call acts on.
_SUBJECTS = ("command", "file_path", "path", "url")


class PolicyQuestion(Value):
    """A call and the rules of the command line."""

    tool: str
    rules: Mapping[str, Sequence[str]]
    #: The call's arguments as JSON, or `-` for stdin; None if there is a `subject`.
    input: str | None = None
    subject: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    allow_all: bool = False
    permissions: str | None = None
    config_file: str | None = None
    cwd: str | None = None
    project: bool = True


def judge(question: PolicyQuestion) -> tuple[str, int]:
    """Return the decision as one JSON object and a newline, and the exit status."""
    workspace = _workspace(question.cwd)
    config = load_config(
        question.settings,
        os.environ,
        workspace.root,
        config_file=question.config_file,
        permissions=question.permissions,
        project=question.project,
        mcp=McpSources(),
    )
    for notice in config.notices:
        complain(notice.text)
    own = plugin_tools(config)
    policy = chosen_policy(config, question.rules, allow_all=question.allow_all, own_tools=own)
    server = _server_tool(question.tool, config) if question.tool.startswith(MCP) else None
    tool = own.get(question.tool) or server or _tool(question.tool)
    arguments = _arguments(question, tool)
    found = decide(policy, tool, arguments, workspace, confined=True)
    if found.decision.rule == "reading" and not _confined(config, workspace.root, tool):
        found = decide(policy, tool, arguments, workspace)
    decision = found.decision
    if server is not None:
        decision = _server_withheld(server, config) or decision
    else:
        decision = _withheld(tool, config, workspace.root, own) or decision
    return _shown(decision, found.subject), STATUS[decision.decision]


def _workspace(directory: str | None) -> Workspace:
    path = Path(directory or ".")
    if not path.is_dir():
        raise UsageError(f"-C: there is no directory {directory}")
    return Workspace(path)


def _tool(name: str) -> Tool:
    if name not in TOOLS:
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), TOOLS, 1)
        raise UsageError(
            f"there is no tool {name!r} (known: {', '.join(TOOLS)})",
            correction=(name, near[0]) if near else None,
        )
    tool: Tool = load(TOOLS[name])()
    return tool


class _ServerTool(Tool):
    """A tool of an MCP server that is not started: only the rules are asked."""

    def __init__(self, name: str, servers: Sequence[McpServer]) -> None:
        self.name = name  # type: ignore[misc]
        self.parameters = {"type": "object", "properties": {}}  # type: ignore[misc]
        #: The server, if it is configured.
        self.servers = servers


def _server_tool(name: str, config: Config) -> _ServerTool:
    from ..mcp.names import prefix

    servers = [one for one in config.mcp_servers.values() if name.startswith(prefix(one.name))]
    return _ServerTool(name, servers)


def _server_withheld(tool: _ServerTool, config: Config) -> Decision | None:
    from ..run.mcp import withheld_by

    for server in tool.servers:
        if name := withheld_by(server, config):
            origin = config.settings[name].origin
            reason = f"{tool.name} is not offered: {name} is set in {origin}"
            return Decision("deny", name, reason)
    return None


def _confined(config: Config, workspace: Path, tool: Tool) -> bool:
    """Tell whether a run here would confine its commands."""
    import asyncio

    confinement = chosen_confinement(config, os.environ, workspace, [tool.name])
    return asyncio.run(confinement.sandbox()) is not None


def _arguments(question: PolicyQuestion, tool: Tool) -> dict[str, Any]:
    """Return the call's arguments.

    Raises `UsageError` if a model's call with them would be rejected before any rule is read.
    """
    example = _example(tool)
    if question.subject is not None:
        return _about(question, tool, example)
    text = "{}" if question.input is None else question.input
    try:
        arguments = loads(_stdin() if text == "-" else text)
    except ValueError as error:
        raise UsageError(f"--input is not valid JSON: {error}", hint=example) from None
    if not isinstance(arguments, dict) or not is_plain(arguments):
        raise UsageError("--input: expected a JSON object, the call's arguments", hint=example)
    if problems := tool.problems(arguments):
        raise UsageError(f"--input does not fit {tool.name}: {'; '.join(problems)}", hint=example)
    return arguments


def _about(question: PolicyQuestion, tool: Tool, example: str) -> dict[str, Any]:
    """Return the arguments of a call on ARG: a command, a path or a URL."""
    if question.input is not None:
        raise UsageError("ARG and --input cannot be combined", hint=example)
    properties = tool.parameters["properties"]
    name = next((each for each in _SUBJECTS if each in properties), None)
    if name is None:
        raise UsageError(
            f"{tool.name} takes no ARG: it acts on no command, path or URL", hint=example
        )
    # The other required arguments do not matter: the rules only see what the call acts on.
    arguments: dict[str, Any] = dict.fromkeys(tool.parameters.get("required", ()), "…")
    arguments[name] = question.subject
    if problems := tool.problems(arguments):
        raise UsageError(f"ARG does not fit {tool.name}: {'; '.join(problems)}", hint=example)
    return arguments


def _stdin() -> bytes:
    try:
        with open(0, "rb", closefd=False) as stdin:
            return stdin.read()
    except OSError as error:
        raise UsageError(f"stdin cannot be read: {error.strerror}") from None


def _example(tool: Tool) -> str:
    properties = tool.parameters["properties"]
    required = {
        name: "…" if properties[name].get("type") == "string" else {}
        for name in tool.parameters.get("required", ())
    }
    return f"for example  --input '{dumps(required).decode()}'"


def _withheld(
    tool: Tool, config: Config, workspace: Path, own: Mapping[str, Tool]
) -> Decision | None:
    """Return the denial of a tool that a run would not even offer."""
    confinement = Confinement()
    if tool.runs_programs and config.get("read_only"):
        confinement = chosen_confinement(config, os.environ, workspace, [tool.name])
    name = withheld_by(tool.name, config, confinement, own)
    if name is None:
        return None
    origin = config.settings[name].origin
    return Decision("deny", name, f"{tool.name} is not offered: {name} is set in {origin}")


def _shown(decision: Decision, subject: Subject) -> str:
    document: dict[str, Any] = {
        "decision": decision.decision,
        "rule": decision.rule,
        "reason": decision.reason,
        "commands": list(decision.commands) or _commands(subject),
    }
    if decision.hint:
        document["hint"] = decision.hint
    return dumps(document).decode() + "\n"


def _commands(subject: Subject) -> list[str]:
    """Return the commands of a call that a bare rule or the default decided as a whole."""
    if subject.kind != "command":
        return []
    from ..permissions.shell import commands

    return [str(command) for command in commands(subject.value).commands if command.certain]
