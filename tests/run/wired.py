"""Runs the binary over any of the four wires, in a workspace that holds an image and a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..support import wires
from ..support.a3s import Bench
from ..support.files import PDF, PNG
from ..support.replies import Reply
from ..support.run import Result


def run(
    a3s: Bench,
    wire: str,
    script: Sequence[Reply],
    *flags: str,
    model: str = "m-1",
    more: str = "",
    prompt: str = "go",
    **options: Any,
) -> Result:
    """`model` is its name, `more` its settings."""
    server = a3s.serve(script, "anthropic" if wire == "anthropic" else "openai-chat")
    (a3s.work / "shot.png").write_bytes(PNG)
    (a3s.work / "paper.pdf").write_bytes(PDF)
    config = wires.config(wire, server.url, more).replace("m-1", model)
    (a3s.root / "c.acl").write_text(config)
    args = ("--config", str(a3s.root / "c.acl"), "-m", f"test/{model}", *flags, prompt)
    started = a3s.start(["a3s", "run", *args], server, "whole", True, cwd=a3s.work, **options)
    # These calls come as bytes, which the script cannot count.
    started.check_calls = False
    return started.finish()
