"""`a3s tools`: what a model is offered here, as text and as JSON: tools, and skills."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..config.layers import load as load_config
from ..config.places import user_skills
from ..config.settings import Config
from ..jsontext import dumps
from ..output.person import readable
from ..registry import TOOLS, load
from ..run.skills import Skills, find_skills
from ..tool_protocol import Tool

BUILT_IN = "built in"


def tools_json(plugins: Sequence[str] = ()) -> str:
    """Return every tool with its JSON Schema, and every skill, as one JSON array and a newline."""
    config = _config(plugins)
    skills = (_skill(skill) for skill in _skills(config).usable)
    return dumps([*_tools(config), *skills]).decode() + "\n"


def tools_text(plugins: Sequence[str] = ()) -> str:
    """Return every tool for a person: its arguments, optional ones in brackets, and its purpose.

    The skills come after the tools.
    """
    config = _config(plugins)
    lines: list[str] = []
    for tool in _tools(config):
        required = tool["parameters"].get("required", [])
        words = [
            name if name in required else f"[{name}]" for name in tool["parameters"]["properties"]
        ]
        from_plugin = "" if tool["source"] == BUILT_IN else f"  # {tool['source']}"
        lines.append(f"{tool['name']}  {' '.join(words)}{from_plugin}")
        lines.append(_filled(tool["description"]))
    skills = _skills(config)
    for skill in skills.usable:
        lines += [f"skill {skill.name}  {skill.path}", _filled(skill.description)]
    lines += [f"# {why}" for _, why in skills.unread]
    return readable("\n".join(lines) + "\n")


def _config(plugins: Sequence[str]) -> Config:
    return load_config({"plugins": plugins}, os.environ, Path())


def _tools(config: Config) -> Iterator[dict[str, Any]]:
    for target in TOOLS.values():
        yield _tool(load(target)(), BUILT_IN)
    if named := config.get("plugins"):
        from ..run.plugins import load_plugins

        for plugin in load_plugins(named):
            yield from (_tool(tool, plugin.source) for tool in plugin.tools)


def _tool(tool: Tool, source: str) -> dict[str, Any]:
    spec = tool.spec()
    return {
        "kind": "tool",
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.parameters,
        "source": source,
    }


def _skills(config: Config) -> Skills:
    return find_skills(user_skills(os.environ), config.trusted_project)


def _skill(skill: Any) -> dict[str, Any]:
    return {
        "kind": "skill",
        "name": skill.name,
        "description": skill.description,
        "path": str(skill.path),
        "source": skill.source,
    }


def _filled(text: str) -> str:
    from textwrap import fill

    indent = " " * 4
    return fill(text, 79, initial_indent=indent, subsequent_indent=indent)
