"""A bench with MCP servers in its user's configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ..support.a3s import Bench

SCRIPTED = str(Path(__file__).with_name("scripted.py"))


def block(name: str, argv: list[str], **keys: Any) -> str:
    """A block of the configuration that starts a server."""
    command, *args = argv
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items() if key != "env"]
    env = ""
    if "env" in keys:
        env = "env {" + "".join(f" {name} = {value}\n" for name, value in keys["env"].items()) + "}"
    listed = json.dumps(args)
    return (
        f'mcp_servers "{name}" {{\n command = {json.dumps(command)}\n args = {listed}\n'
        + "\n".join(lines)
        + f"\n{env}\n}}\n"
    )


class Scripted:
    """Scripted servers for a bench: `add` one, then read what it has `received`."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.config = bench.home / ".config/a3s/config.acl"
        self.config.parent.mkdir(parents=True, exist_ok=True)

    def argv(self, name: str, **script: Any) -> list[str]:
        """The command of a server that plays a script."""
        script.setdefault("log", str(self._log(name)))
        path = self.bench.root / f"{name}.json"
        path.write_text(json.dumps(script))
        return [sys.executable, "-S", "-E", SCRIPTED, str(path)]

    def add(self, name: str = "one", keys: dict[str, Any] | None = None, **script: Any) -> None:
        """Configure one; `keys` are those of its block, the rest is what it plays."""
        self.write(block(name, self.argv(name, **script), **(keys or {})))

    def write(self, text: str) -> None:
        """Add to the user's configuration."""
        with self.config.open("a") as file:
            file.write(text)

    def received(self, name: str = "one") -> list[dict[str, Any]]:
        """The messages that a server has received."""
        path = self._log(name)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def methods(self, name: str = "one") -> list[str]:
        return [message.get("method", "answer") for message in self.received(name)]

    def _log(self, name: str) -> Path:
        return self.bench.root / f"{name}.log"
