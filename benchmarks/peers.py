"""The agents that a3s is compared with, each by its own documented headless mode."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .agents import KEY, Agent

#: Asked by many programs: no colours, no statistics.
_QUIET = {"NO_COLOR": "1", "DO_NOT_TRACK": "1"}

_CODEX = """
model = "m"
model_provider = "bench"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.bench]
name = "bench"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "BENCH_KEY"
"""

_LLM = """
- model_id: m
  model_name: m
  api_base: "{url}/v1"
  can_stream: true
"""

_OPENCODE = {
    "model": "bench/m",
    "autoupdate": False,
    "share": "disabled",
    "permission": {"bash": "allow"},
    "provider": {
        "bench": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": "{url}/v1", "apiKey": KEY},
            "models": {"m": {"name": "m", "tool_call": True}},
        }
    },
}

_PI = {
    "providers": {
        "bench": {
            "baseUrl": "{url}/v1",
            "api": "openai-completions",
            "apiKey": KEY,
            "models": [
                {"id": "m", "name": "m", "reasoning": False, "input": ["text"]}
                | {"contextWindow": 128000, "maxTokens": 8192}
                | {"cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}
            ],
        }
    }
}

_GEMINI: Mapping[str, Any] = {
    "general": {"disableAutoUpdate": True, "disableUpdateNag": True, "enableAutoUpdate": False},
    "privacy": {"usageStatisticsEnabled": False},
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "telemetry": {"enabled": False},
}

_QWEN: Mapping[str, Any] = {
    "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
    "privacy": {"usageStatisticsEnabled": False},
    "security": {"auth": {"selectedType": "openai"}},
    "telemetry": {"enabled": False},
}

_A3S_CODE = """
from a3s_code import Agent, PermissionPolicy, SessionOptions

options = SessionOptions()
options.permission_policy = PermissionPolicy(default_decision="allow")
agent = Agent.create("{home}/config.acl")
for event in agent.session(".", options).stream("Do what you can."):
    if event.event_type in ("text_delta", "tool_output_delta"):
        print(event.text, flush=True)
"""

_A3S_CODE_CONFIG = """
default_model = "openai/m"
providers "openai" {
  apiKey  = "sk-benchmark"
  baseUrl = "{url}/v1"
  models "m" { name = "m" }
}
"""


_CLAUDE = (
    *("--output-format", "stream-json", "--verbose", "--include-partial-messages"),
    *("--model", "claude-sonnet-4-5"),
)


def _codex(name: str) -> Agent:
    return Agent(
        name,
        name,
        ("exec", "--json", "--skip-git-repo-check", "{prompt}"),
        {**_QUIET, "CODEX_HOME": "{home}/.codex", "BENCH_KEY": KEY},
        {".codex/config.toml": _CODEX},
        shell=("exec_command", "cmd", {}),
        allow=("--dangerously-bypass-approvals-and-sandbox",),
    )


PEERS = (
    Agent(
        "llm",
        "llm",
        ("-m", "m", "{prompt}"),
        {**_QUIET, "LLM_USER_PATH": "{home}/llm", "OPENAI_API_KEY": KEY},
        {"llm/extra-openai-models.yaml": _LLM},
    ),
    _codex("codex"),
    _codex("codex-native"),
    Agent(
        "claude",
        "claude",
        ("-p", "{prompt}", *_CLAUDE),
        {
            **_QUIET,
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": "{url}",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
        },
        shell=("Bash", "command", {"description": "print lines"}),
        allow=("--allowedTools", "Bash"),
    ),
    Agent(
        "gemini",
        "gemini",
        ("-p", "{prompt}", "-o", "stream-json", "-m", "gemini-2.5-flash", "--yolo"),
        {
            **_QUIET,
            "GEMINI_API_KEY": KEY,
            "GOOGLE_GEMINI_BASE_URL": "{url}",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        },
        {".gemini/settings.json": json.dumps(_GEMINI)},
        shell=("run_shell_command", "command", {"description": "print lines"}),
        acp=("--acp",),
    ),
    Agent(
        "opencode",
        "opencode",
        ("run", "--format", "json", "{prompt}"),
        {
            **_QUIET,
            "OPENCODE_CONFIG": "{home}/opencode.json",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
        },
        {"opencode.json": json.dumps(_OPENCODE)},
        shell=("bash", "command", {"description": "print lines"}),
        acp=("acp",),
    ),
    Agent(
        "pi",
        "pi",
        ("-p", "--mode", "json", "--provider", "bench", "--model", "m", "{prompt}"),
        {**_QUIET, "PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1", "PI_TELEMETRY": "0"},
        {".pi/agent/models.json": json.dumps(_PI)},
        shell=("bash", "command", {}),
    ),
    Agent(
        "qwen",
        "qwen",
        ("-p", "{prompt}", "-o", "stream-json", "--include-partial-messages", "--yolo"),
        {
            **_QUIET,
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": "{url}/v1",
            "OPENAI_MODEL": "m",
        },
        {".qwen/settings.json": json.dumps(_QWEN)},
        shell=("run_shell_command", "command", {"is_background": False}),
        acp=("--acp",),
    ),
    Agent(
        "a3s-code (library)",
        "a3s_code",
        ("{home}/ask.py",),
        files={"ask.py": _A3S_CODE, "config.acl": _A3S_CODE_CONFIG},
        shell=("bash", "command", {}),
        is_library=True,
    ),
)
