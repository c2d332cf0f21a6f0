"""`a3s tools`: what a model is offered here, as text and as JSON: tools, and skills."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..config.layers import load as load_config
from ..config.places import user_skills
from ..jsontext import dumps
from ..output.person import readable
from ..registry import TOOLS, load
from ..run.skills import Skills, find_skills


def tools_json() -> str:
    """Return every tool with its JSON Schema, and every skill, as one JSON array and a newline."""
    return dumps([*_tools(), *(_skill(skill) for skill in _skills().usable)]).decode() + "\n"


def tools_text() -> str:
    """Return every tool for a person: its arguments, optional ones in brackets, and its purpose.

    The skills come after the tools.
    """
    lines: list[str] = []
    for tool in _tools():
        required = tool["parameters"].get("required", [])
        words = [
            name if name in required else f"[{name}]" for name in tool["parameters"]["properties"]
        ]
        lines += [f"{tool['name']}  {' '.join(words)}", _filled(tool["description"])]
    skills = _skills()
    for skill in skills.usable:
        lines += [f"skill {skill.name}  {skill.path}", _filled(skill.description)]
    lines += [f"# {why}" for _, why in skills.unread]
    return readable("\n".join(lines) + "\n")


def _tools() -> Iterator[dict[str, Any]]:
    for target in TOOLS.values():
        spec = load(target)().spec()
        yield {
            "kind": "tool",
            "name": spec.name,
            "description": spec.description,
            "parameters": spec.parameters,
        }


def _skills() -> Skills:
    project = load_config({}, os.environ, Path()).trusted_project
    return find_skills(user_skills(os.environ), project)


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
