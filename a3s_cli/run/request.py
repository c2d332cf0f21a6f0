"""From the command line's flags to a plan.

The library's counterpart is `session_plan`; both end in the same functions of
`plan`, so that a rule, a limit or a model means the same to both.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..config.settings import Config
from ..output.choice import Mode
from ..sandbox.environment import child_environment, conceal, held_secrets, provider_keys
from ..secrets.redaction import Redactor
from ..values import Value, field
from .plan import (
    Plan,
    chosen_confinement,
    chosen_model,
    chosen_policy,
    default_tools,
    offered_tools,
)
from .prompt_source import PromptSource


class RunOptions(Value):
    """What the command line asked for. `settings` holds the flags that the configuration knows."""

    source: PromptSource
    output: Mode | None = None
    cwd: str | None = None
    config_file: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    permissions: str | None = None
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    record: str | None = None
    schema: str | None = None
    #: The id of a session to go on with; "" is the newest one of the workspace.
    session: str | None = None
    keep_session: bool = True
    tools: str | None = None
    tool_input: bool = False
    allow_all: bool = False
    project: bool = True
    pull: bool = False
    offline: bool = False
    debug: bool = False


class Request(Value):
    """What was read before anything was decided: a usage error needs no more."""

    prompt: str
    tools: Sequence[str]
    schema: Any = None


def run_plan(options: RunOptions, request: Request, config: Config, workspace: Path) -> Plan:
    """Give the plan; raises ConfigError or UsageError."""
    environment = dict(os.environ)
    record = Path(options.record) if options.record is not None else None
    # A mistyped rule is a usage error, whatever else is wrong.
    flags = {kind: options.rules.get(kind, ()) for kind in ("allow", "deny", "ask")}
    policy = chosen_policy(config, flags, allow_all=options.allow_all)
    model = chosen_model(config, environment)
    tools = request.tools if options.tools is not None else default_tools(model)
    confinement = chosen_confinement(config, environment, workspace, tools, record)
    child = child_environment(environment, config.get("env"), provider_keys(config, environment))
    return Plan(
        prompt=request.prompt,
        workspace=workspace,
        environment=environment,
        config=config,
        policy=policy,
        model=model,
        tools=offered_tools(tools, config, confinement),
        on_ask=config.get("on_ask") or ("prompt" if _somebody_is_there() else "deny"),
        confinement=confinement,
        child_environment=child,
        redactor=Redactor(held_secrets(config, environment)),
        conceal=lambda: conceal(child),
        record=record,
        schema=request.schema,
        project=options.project,
        tool_input=options.tool_input,
        pull=options.pull,
        offline=options.offline,
    )


def _somebody_is_there() -> bool:
    return os.isatty(0) and os.isatty(1)
