"""`a3s acp`: from the command line to the room that does it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from ..errors import ConfigError, UsageError
from ..run.plan import chosen_policy, chosen_tools, load_config, plugin_tools
from ..run.request import RunRequest
from ..sandbox.environment import held_secrets
from ..secrets.redaction import Redactor


def acp(
    fields: Mapping[str, Any],
    tools: str | None,
    cwd: str | None,
    *,
    allow_full: bool,
    debug: bool,
) -> NoReturn:
    """Be an editor's agent until it goes; `fields` are what all its runs have in common."""
    if cwd is not None:
        try:
            os.chdir(cwd)
        except OSError as error:
            raise UsageError(f"-C {cwd}: {error.strerror}") from None
    template = RunRequest(
        **fields,
        workspace=Path.cwd(),
        tools=None if tools is None else chosen_tools(tools),
        answers=True,
        conceals=True,
        keeps_model=True,
    )
    redactor = _checked(template)
    if debug:
        from ..output.log import log_to_stderr

        log_to_stderr(redactor, debug=True)
    from ..acp.server import serve

    serve(template, full=allow_full)


def _checked(template: RunRequest) -> Redactor:
    """Return what hides the secrets held; raises UsageError for a mistyped rule.

    A broken configuration is no reason to go: the editor hears of it in an answer.
    """
    try:
        config = load_config(template)
    except ConfigError:
        return Redactor(held_secrets(None, os.environ, ()))
    chosen_policy(config, template.rules, own_tools=plugin_tools(config, template.tools))
    return Redactor(held_secrets(config, os.environ))
