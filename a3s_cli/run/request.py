"""What is asked of a run, before anything is decided: the same for every front end.

The command line's flags, a session's options, a request over HTTP all become a
`RunRequest`; `run.plan` makes a `Plan` of it. So a rule, a limit or a model means
the same wherever it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..values import Value, field

#: What happens to a call that needs approval.
OnAsk = Literal["prompt", "deny", "fail"]


class RunRequest(Value):
    """One prompt, and all that was said of how it is to be answered."""

    prompt: str = ""
    workspace: Path = Path()
    #: The settings that were given, by the configuration's names for them.
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: Rules beside the configuration's, by `allow`, `deny` and `ask`.
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: What replaces the configured allow and ask rules: a file's path, or the rules themselves.
    permissions: str | Mapping[str, Any] | None = None
    config_file: str | None = None
    config_text: str | None = None
    #: Whether the workspace's own configuration and its AGENTS.md count.
    project: bool = True
    #: Names of built-in tools; None for the usual ones.
    tools: Sequence[str] | None = None
    #: The caller's own tools, by their names.
    own_tools: Mapping[str, Any] = field(default_factory=dict)
    #: The JSON Schema of the object that is wanted; None where the answer is text.
    schema: Any = None
    tool_input: bool = False
    allow_all: bool = False
    #: Whether weights may be fetched without a question, or not at all.
    pull: bool = False
    offline: bool = False
    #: Where the stream is recorded.
    record: Path | None = None
    #: What happens to a call that needs approval. None: what the configuration says, and where
    #: it says nothing, `prompt` if there is a user who `answers`, else `deny`.
    on_ask: OnAsk | None = None
    answers: bool = False
    #: Secrets of the front end's own, by name: they are hidden as the environment's are.
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Whether this process is ours alone, so that its memory may be closed to its commands.
    conceals: bool = False
