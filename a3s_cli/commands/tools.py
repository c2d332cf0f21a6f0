"""`a3s tools`: what a model is offered, as a table and as JSON."""

from __future__ import annotations

from ..jsontext import dumps
from ..registry import TOOLS, load


def tools_json() -> str:
    """Return every tool with its JSON Schema, as one JSON array and a newline."""
    specs = [load(target)().spec() for target in TOOLS.values()]
    rows = [
        {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
        for spec in specs
    ]
    return dumps(rows).decode() + "\n"


def tools_text() -> str:
    """Return every tool for a person: its arguments, optional ones in brackets, and its purpose."""
    from textwrap import fill

    lines = []
    for target in TOOLS.values():
        spec = load(target)().spec()
        required = spec.parameters.get("required", [])
        words = [
            name if name in required else f"[{name}]" for name in spec.parameters["properties"]
        ]
        lines.append(f"{spec.name}  {' '.join(words)}")
        indent = " " * 4
        lines.append(fill(spec.description, 79, initial_indent=indent, subsequent_indent=indent))
    return "\n".join(lines) + "\n"
