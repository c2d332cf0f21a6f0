"""Everything that is decided about a run before its first event.

A request and its configuration become a `Plan`: the model's name, the tools on
offer, the rules in force. This module imports nothing that does the work, so that
`start` leaves while the network code is still being loaded, and so that even a
broken configuration yields a well-formed stream.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..config.endpoints import DEFAULT_LOCAL_MODEL, endpoint, quoted_key
from ..config.layers import load
from ..config.model_names import LOCAL, model_name, no_model, resolved_name
from ..config.settings import EXEC, Config, ConfigNotice, McpSources, command_of
from ..errors import AuthError, UsageError
from ..events import SCHEMA_VERSION, Start
from ..permissions.policy import Policy
from ..permissions.rules import parse_rule
from ..registry import LOAD_TOOLS, MCP, TOOLS
from ..registry import load as load_named
from ..sandbox.confinement import Confinement
from ..sandbox.environment import child_environment, conceal, held_secrets, provider_keys
from ..secrets.redaction import NOTHING, Redactor
from ..values import Value, field
from ..version import __version__
from .request import OnAsk, RunRequest

if TYPE_CHECKING:
    from ..config.mcp_servers import McpServer
    from ..messages import File
    from ..tool_protocol import Tool


#: Characters of the id of another version's run.
LONGEST_ID = 64


class Plan(Value):
    """What a run will do, and what it may do."""

    prompt: str
    workspace: Path
    environment: Mapping[str, str] = field(repr=False)
    config: Config = field(repr=False)
    model: str
    tools: Sequence[str]
    policy: Policy
    #: Whether the workspace's AGENTS.md is read.
    project: bool = True
    #: Whether the model is told of skills.
    skills: bool = True
    tool_input: bool = False
    #: Whether the local model's weights are downloaded without asking, or never.
    pull: bool = False
    offline: bool = False
    #: Seconds for which the local model's server stays after the run; None: it ends with it.
    keep_alive: float | None = None
    #: Whether that server stays for as long as this process lives.
    keeps_model: bool = False
    #: The user's own tools by name; `tools` includes their names.
    own_tools: Mapping[str, Any] = field(default_factory=dict)
    #: The MCP servers of the run, and patterns of their tools that are wanted (None: all).
    mcp: Sequence[McpServer] = ()
    mcp_tools: Sequence[str] | None = None
    #: Files as the front end has them; None where the disk has them.
    buffers: Any = None
    #: The models that are asked when this one is unavailable, "provider/model" each.
    fallbacks: Sequence[str] = ()
    #: What happens to a call that needs approval.
    on_ask: OnAsk = "deny"
    #: The words of the program that is asked, with `on_ask` "exec".
    approver: Sequence[str] = ()
    #: How the commands of `bash` are confined.
    confinement: Confinement = field(default_factory=Confinement)
    #: The environment of commands.
    child_environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Hides our secrets from all output and from the model.
    redactor: Redactor = NOTHING
    #: Keeps commands from reading other variables out of our process.
    conceal: Callable[[], None] = lambda: None
    #: The file that the stream is recorded in, if any.
    record: Path | None = None
    #: The JSON Schema of the run's object; None if the answer is text.
    schema: Any = None
    #: The files that come with the prompt.
    attachments: Sequence[File] = ()
    #: Paces this run's requests together with those of others (`model.Gate`).
    gate: Any = None
    #: What the answer has to pass besides the schema: (value, the model's text) -> violations.
    check: Callable[[Any, str], Sequence[tuple[str, str]]] | None = None


def new_run_id() -> str:
    """Return a unique id; ids sort by time."""
    import time

    return f"{time.time_ns() // 1_000_000:011x}{os.urandom(5).hex()}"


def known_run_id(text: str) -> str | None:
    """Return a run id from outside, or None if it cannot be one."""
    is_id = text.isascii() and text.isalnum() and len(text) <= LONGEST_ID
    return text if is_id else None


def start_event(
    prompt: str, workspace: Path, plan: Plan | None, *, session_id: str | None = None
) -> Start:
    """Return the first event; without a plan, it has only what needs no configuration."""
    if plan is None:
        return Start(
            schema_version=SCHEMA_VERSION,
            version=__version__,
            run_id=new_run_id(),
            cwd=str(workspace),
            prompt=prompt,
        )
    return Start(
        schema_version=SCHEMA_VERSION,
        version=__version__,
        run_id=new_run_id(),
        model=plan.model,
        cwd=str(workspace),
        prompt=prompt,
        tools=list(plan.tools),
        session_id=session_id,
        sandbox=plan.confinement.name,
        policy_sha256=plan.policy.digest(),
        mcp_servers=[server.name for server in plan.mcp] or None,
    )


def load_config(request: RunRequest) -> Config:
    """Return the configuration in force for a request. Raises ConfigError."""
    return load(
        request.settings,
        os.environ,
        request.workspace,
        config_file=request.config_file,
        config_text=request.config_text,
        permissions=request.permissions,
        project=request.project,
        mcp=None if request.mcp == () else _sources(request),
    )


def _sources(request: RunRequest) -> McpSources:
    return McpSources(request.mcp_files, request.mcp_servers, request.mcp_origin)


def make_plan(request: RunRequest, config: Config) -> Plan:
    """Return the plan of a request. Raises ConfigError or UsageError."""
    environment = dict(os.environ)
    # First: a mistyped rule is a usage error, whatever else is wrong.
    plugged = plugin_tools(config, request.tools)
    own_tools = {**plugged, **request.own_tools}
    policy = chosen_policy(config, request.rules, allow_all=request.allow_all, own_tools=own_tools)
    model = chosen_model(config, environment)
    wanted, tools = mcp_patterns(request.tools), built_in(request.tools)
    servers: Sequence[McpServer] = ()
    if request.mcp != () and (config.mcp_servers or request.mcp or wanted):
        from .mcp import chosen_servers

        servers = chosen_servers(config, request.mcp, wanted)
    policy.servers = [server.described() for server in servers]
    # A server that has to be confined needs a sandbox, whatever the tools need.
    confined = any(server.sandbox for server in servers)
    confinement = chosen_confinement(
        config,
        environment,
        request.workspace,
        None if confined else tools,
        request.record,
        policy,
        request.apart,
    )
    tools = default_tools(model) if tools is None else tools
    child = child_environment(environment, config.get("env"), provider_keys(config, environment))
    on_ask: str = config.get("on_ask") or ("prompt" if request.answers else "deny")
    on_ask = request.on_ask or on_ask
    if on_ask.startswith(EXEC):
        on_ask, policy.approver = "exec", command_of(on_ask)
    return Plan(
        prompt=request.prompt,
        workspace=request.workspace,
        environment=environment,
        config=config,
        policy=policy,
        model=model,
        tools=[
            name
            for name in (*tools, *own_tools)
            if name in request.own_tools or withheld_by(name, config, confinement, plugged) is None
        ],
        own_tools=own_tools,
        mcp=servers,
        mcp_tools=wanted,
        buffers=request.buffers,
        fallbacks=_fallbacks(config),
        on_ask=cast("OnAsk", on_ask),
        approver=policy.approver,
        confinement=confinement,
        child_environment=child,
        redactor=Redactor({**held_secrets(config, environment), **request.secrets}),
        conceal=(lambda: conceal(child)) if request.conceals else (lambda: None),
        record=request.record,
        schema=request.schema,
        project=request.project,
        skills=request.skills,
        tool_input=request.tool_input,
        pull=request.pull,
        offline=request.offline,
        gate=request.gate,
        keep_alive=request.keep_alive,
        keeps_model=request.keeps_model,
    )


def chosen_model(config: Config, environment: Mapping[str, str]) -> str:
    """Return "provider/model". Raises ConfigError, which names the ways to choose one."""
    name = model_name(config)
    if name is None:
        from ..local.weights import installed, runtime_installed

        runtime = runtime_installed()
        if not runtime or installed(None, environment) is None:
            raise no_model(runtime, environment)
        name = LOCAL
    if name == LOCAL:
        name = f"{LOCAL}/{DEFAULT_LOCAL_MODEL}"
    with contextlib.suppress(AuthError):
        # A missing key fails the run, after `start`; any other error is raised here.
        endpoint(config, name, environment)
    if origin := quoted_key(config, name):
        text = f"{origin}: the key is used without the quotes around it"
        config.notices.append(ConfigNotice("config_key_quoted", text, {}))
    return name


def _fallbacks(config: Config) -> Sequence[str]:
    """Return the fallback models: those of flags, or else the configured ones."""
    given: Sequence[Any] = config.get("fallback_model")
    if not given:
        return ()
    flagged = [one for one in given if one.origin.startswith("--")]
    names = [resolved_name(config, one) for one in flagged or given]
    return [f"{LOCAL}/{DEFAULT_LOCAL_MODEL}" if name == LOCAL else name for name in names]


def chosen_tools(wanted: str | None) -> list[str]:
    """Return the names in `--tools LIST`: all by default, none for `none`. Raises UsageError."""
    if wanted is None:
        return list(TOOLS)
    if wanted.strip() == "none":
        return []
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise UsageError("--tools needs a list such as read,grep, or none")
    servers = [name for name in names if name.startswith(MCP)]
    # Of plug-ins, which only the configuration names: `plugin_tools` checks them.
    others = [name for name in names if name not in (*TOOLS, *servers, LOAD_TOOLS)]
    # Read as rules are: a server alone means all of its tools.
    return [
        *(name for name in TOOLS if name in names),
        *(parse_rule(name, TOOLS).tool for name in servers),
        *others,
    ]


def built_in(tools: Sequence[str] | None) -> list[str] | None:
    """Return the built-in tools of `chosen_tools`; None for the default ones."""
    return None if tools is None else [name for name in tools if name in TOOLS]


def mcp_patterns(tools: Sequence[str] | None) -> list[str] | None:
    """Return the patterns for MCP tools of `chosen_tools`; None if all are wanted."""
    return None if tools is None else [name for name in tools if name.startswith(MCP)]


def chosen_confinement(
    config: Config,
    environment: Mapping[str, str],
    workspace: Path,
    tools: Sequence[str] | None,
    record: Path | None = None,
    policy: Policy | None = None,
    apart: Path | None = None,
) -> Confinement:
    """Return how commands are confined. Look for a sandbox only if a tool can run programs.

    `tools` is None for the default ones, some of which do; they need not be imported.
    """
    mode, root = config.get("sandbox"), workspace.resolve()
    needless = mode == "auto" and config.get("network") == "on" and tools is not None
    if needless and not any(tool_class(name).runs_programs for name in tools or ()):
        mode = "off"
    confinement = Confinement(
        mode,
        workspace=workspace,
        environment=environment,
        network=config.get("network") == "on",
        read_only=config.get("read_only"),
        record=record,
        hidden=[Path(file) for file in config.files if Path(file).is_absolute()],
    )
    if apart is not None:
        confinement.keep_apart(apart)
    confinement.guarding.protect = config.get("protect")
    if policy is not None:
        confinement.guarding.permits = lambda path: policy.permits(path, root)
    return confinement


def tool_class(name: str) -> type[Tool]:
    """Import and return the class of a built-in tool."""
    found: type[Tool] = load_named(TOOLS[name])
    return found


def default_tools(model: str) -> list[str]:
    """Return the default tools. Small models are not offered those that they misuse:
    tools that need a schema, and the network, which they use without being asked.
    """
    if model.partition("/")[0] != LOCAL:
        return list(TOOLS)
    classes = {name: tool_class(name) for name in TOOLS}
    return [name for name, tool in classes.items() if not (tool.asks_model or tool.network)]


def withheld_by(
    name: str, config: Config, confinement: Confinement, plugged: Mapping[str, Tool]
) -> str | None:
    """Return the setting that withholds a tool; None if none does."""
    if config.get("read_only"):
        tool = plugged.get(name) or tool_class(name)
        # Only a sandbox can keep programs from writing.
        unconfined = tool.runs_programs and confinement.name != "bwrap"
        if tool.writes or tool.opaque or unconfined:
            return "read_only"
    if config.get("network") == "off":
        tool = plugged.get(name) or tool_class(name)
        return "network" if tool.network or tool.opaque else None
    return None


def plugin_tools(config: Config, wanted: Sequence[str] | None = None) -> dict[str, Tool]:
    """Return the tools of the plug-ins that are named, by name: those that are `wanted`.

    Raises ConfigError, or UsageError, which also names what no plug-in has.
    """
    named = config.get("plugins")
    if not named and all(name in TOOLS or name.startswith(MCP) for name in wanted or ()):
        return {}
    from .plugins import chosen_plugin_tools

    return chosen_plugin_tools(named, wanted)


def chosen_policy(
    config: Config,
    flags: Mapping[str, Sequence[str]],
    *,
    allow_all: bool = False,
    own_tools: Collection[str] = (),
) -> Policy:
    """Return the rules in force: flags add to the configuration, deny rules always apply.

    `own_tools` are the names of the user's own tools, which rules may name, too.
    """
    for text, wrong in config.foreign_rules:
        if text.partition("(")[0].strip() not in own_tools:
            raise wrong
    rules: dict[str, list[str]] = {}
    for kind in ("allow", "deny", "ask"):
        rules[kind] = [*flags.get(kind, ()), *(setting.value for setting in config.get(kind))]
    policy = Policy(
        allow=rules["allow"],
        deny=rules["deny"],
        ask=rules["ask"],
        default_decision="allow" if allow_all else config.get("default_decision"),
        tools=(*TOOLS, *own_tools),
        grant_asks=allow_all,
        reading=config.reading.value,
    )
    policy.protect = config.get("protect")
    return policy
