"""What a run is asked to do, before anything is decided: the same for every front end.

The command line's flags, a session's options and an HTTP request all become a
`RunRequest`, which `run.plan` turns into a `Plan`. So a rule, a limit or a model
means the same wherever it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..values import Value, field

#: What happens to a call that needs approval.
OnAsk = Literal["prompt", "deny", "fail", "exec"]


class RunRequest(Value):
    """One prompt, and how it is to be answered."""

    prompt: str = ""
    workspace: Path = Path()
    #: The settings given, by their names in the configuration.
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: Rules that add to the configuration's, by `allow`, `deny` and `ask`.
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Replaces the configured allow and ask rules: a file's path, or the rules themselves.
    permissions: str | Mapping[str, Any] | None = None
    config_file: str | None = None
    config_text: str | None = None
    #: Whether to read the workspace's configuration and AGENTS.md.
    project: bool = True
    #: Whether the model is told of skills.
    skills: bool = True
    #: Names of built-in tools, and names or patterns of MCP tools; None for the default ones.
    tools: Sequence[str] | None = None
    #: Names of the MCP servers to use; None for all that are enabled.
    mcp: Sequence[str] | None = None
    #: JSON files of further MCP servers, and entries as in such files, from `mcp_origin`.
    mcp_files: Sequence[str] = ()
    mcp_servers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    mcp_origin: str = "mcp_servers"
    #: The user's own tools by name.
    own_tools: Mapping[str, Any] = field(default_factory=dict)
    #: The JSON Schema of the run's object; None if the answer is text.
    schema: Any = None
    tool_input: bool = False
    allow_all: bool = False
    #: Whether the local model's weights are downloaded without asking, or never.
    pull: bool = False
    offline: bool = False
    #: Seconds for which the local model's server stays after the run; None: it ends with it.
    keep_alive: float | None = None
    #: Whether that server stays for as long as this process lives.
    keeps_model: bool = False
    #: The file to record the stream in, if any.
    record: Path | None = None
    #: What happens to a call that needs approval. None: as configured, by default `prompt` if
    #: a user `answers`, else `deny`.
    on_ask: OnAsk | None = None
    answers: bool = False
    #: Files as the front end has them (`tool_protocol.Buffers`); None where the disk has them.
    buffers: Any = None
    #: The files that come with the prompt (`input.attachments.Given`).
    attachments: Sequence[Any] = ()
    #: The front end's name for this prompt, returned in `start`.
    prompt_id: str | int | None = None
    #: The front end's own secrets by name, hidden like those of the environment.
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: A directory of ours that the run's tools can neither see nor change.
    apart: Path | None = None
    #: Paces this run's requests together with those of others (`model.Gate`).
    gate: Any = None
    #: Whether this process is ours alone, so that its memory may be hidden from commands.
    conceals: bool = False
