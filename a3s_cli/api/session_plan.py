"""From a session's options to a plan: the library's counterpart of the command line's flags.

Both end in the same functions, so that a rule, a limit or a model means the same
to both. What is wrong is said here, before anything runs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config.layers import load
from ..config.settings import KEYS
from ..errors import UsageError
from ..registry import TOOLS
from ..run.plan import (
    Plan,
    chosen_confinement,
    chosen_model,
    chosen_policy,
    chosen_tools,
    default_tools,
    offered_tools,
)
from ..sandbox.environment import child_environment, held_secrets, provider_keys
from ..secrets.redaction import Redactor
from .function_tool import FunctionTool
from .options import SessionOptions

#: The parts that a system prompt is extended by, in their order.
PARTS = ("role", "guidelines", "response_style", "extra")
#: Options that are settings of the configuration under the same name.
SETTINGS = frozenset({"model", "sandbox", "network", "read_only", "env", "redact_env", *KEYS})


def session_plan(
    workspace: Path, options: SessionOptions, config_file: str | None, config_text: str | None
) -> Plan:
    """Give the plan of every run of a session, but for its prompt."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    if options.session_id is not None:
        from ..sessions.ids import check

        check(options.session_id)
    own = _own(given)
    config = load(
        {**{name: given[name] for name in SETTINGS & given.keys()}, **_system(given)},
        os.environ,
        workspace,
        config_file=config_file,
        config_text=config_text,
        permissions=_permissions(options),
        project=options.project,
    )
    environment = dict(os.environ)
    model = chosen_model(config, environment)
    tools = _built_in(given, model)
    confinement = chosen_confinement(config, environment, workspace, tools)
    keys = provider_keys(config, environment)
    return Plan(
        prompt="",
        workspace=workspace,
        environment=environment,
        config=config,
        policy=chosen_policy(config, {}, own_tools=own),
        model=model,
        tools=[*offered_tools(tools, config, confinement), *own],
        own_tools=own,
        confinement=confinement,
        child_environment=child_environment(environment, config.get("env"), keys),
        redactor=Redactor(held_secrets(config, environment)),
        project=options.project,
    )


def _own(given: Mapping[str, Any]) -> dict[str, FunctionTool]:
    own: dict[str, FunctionTool] = {}
    for tool in given.get("tools", ()):
        if not isinstance(tool, FunctionTool):
            continue
        if tool.name in TOOLS:
            raise UsageError(f"the tool {tool.name} is built in: give the function another name")
        if tool.name in own:
            raise UsageError(f"there are two tools named {tool.name}")
        own[tool.name] = tool
    return own


def _built_in(given: Mapping[str, Any], model: str) -> list[str]:
    if "tools" not in given:
        return default_tools(model)
    names = [tool for tool in given["tools"] if not isinstance(tool, FunctionTool)]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is no tool: decorate the function with `tool`")
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
