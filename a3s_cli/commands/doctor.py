"""`a3s doctor`: what a run would find here, what is missing, and what that costs.

Nothing is decided here: each check asks the code that a run would ask. The model's
server is asked for its list of models, which costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ..config.endpoints import endpoint
from ..config.installation import how_to_add
from ..config.layers import load
from ..config.model_names import LOCAL, REPLAY
from ..config.settings import Config
from ..errors import A3SError, AuthError, ConfigError, NetworkError, ProviderError
from ..output.terminal import Style, single_line
from ..run.plan import chosen_confinement, chosen_model
from ..values import Value
from ..version import __version__

#: Seconds that a model's server has for an answer.
_PATIENCE = 5.0
#: Programs that are used if they are there, and what it costs if they are not.
_PROGRAMS = {
    "rg": "the tool grep works without it, but more slowly",
    "git": "runs know no repository status, and cannot compare protected files with HEAD",
    "man": "a3s man shows plain text",
}

State = Literal["good", "missing", "bad"]
_MARKS: dict[State, tuple[str, str]] = {
    "good": ("✓", "32"),
    "missing": ("·", "33"),
    "bad": ("✗", "31"),
}


class Finding(Value):
    """One thing that was looked for. `bad`: no run would work."""

    name: str
    state: State
    text: str
    hint: str = ""


def examine() -> list[Finding]:
    """Return what was found, for a run in the current directory."""
    findings = list(_installation())
    environment, workspace = dict(os.environ), Path.cwd()
    try:
        config = load({}, environment, workspace)
    except ConfigError as error:
        return [*findings, Finding("config", "bad", str(error), error.hint or "")]
    files = ", ".join(config.files) or "no file; a3s config path says where it goes"
    findings.append(Finding("config", "good", files))
    findings.append(_model(config))
    findings.append(_sandbox(config, workspace))
    findings += _programs()
    findings.append(_sessions())
    return [*findings, _terminal()]


def report(findings: list[Finding], *, terminal: bool) -> str:
    """Return the findings as lines for a person."""
    style = Style.detect(os.environ, terminal)
    lines: list[str] = []
    for one in findings:
        mark, face = _MARKS[one.state]
        lines.append(f"{style.paint(face, mark)} {one.name:<13}{single_line(one.text)}")
        if one.hint:
            lines.append(f"  {'':<13}{single_line(one.hint)}")
    return "".join(f"{line}\n" for line in lines)


def _installation() -> Iterator[Finding]:
    version = f"{__version__}, Python {'.'.join(map(str, sys.version_info[:3]))}"
    found = shutil.which("a3s")
    if found:
        yield Finding("a3s", "good", f"{version}, at {found}")
    else:
        directory = os.path.join(sys.prefix, "bin")
        hint = f'export PATH="{directory}:$PATH"'
        yield Finding("a3s", "missing", f"{version}; a3s is not on the PATH", hint)
    for extra, module, costs in (
        ("local", "xllamacpp", "no embedded model"),
        ("serve", "uvicorn", "no page in the browser"),
    ):
        if find_spec(module):
            yield Finding(extra, "good", "installed")
        else:
            yield Finding(extra, "missing", f"not installed: {costs}", how_to_add(extra))


def _model(config: Config) -> Finding:
    try:
        name = chosen_model(config, dict(os.environ))
        provider = name.partition("/")[0]
        if provider in (LOCAL, REPLAY) and provider not in config.providers:
            return _embedded(name) if provider == LOCAL else Finding("model", "good", name)
        where = endpoint(config, name, os.environ)
    except (ConfigError, AuthError) as error:
        return Finding("model", "bad", str(error), error.hint or "")
    origin = config.settings["default_model"].origin
    told = f"{name} (from {origin}), {where.wire} at {where.base_url}"
    from ..providers.listing import offered

    async def ask() -> list[str]:
        async with asyncio.timeout(_PATIENCE):
            return await offered(where)

    try:
        names = asyncio.run(ask())
    except AuthError as error:
        return Finding("model", "bad", f"{told}: {error}", error.hint or "")
    except TimeoutError:
        return Finding("model", "missing", f"{told}: no answer within {_PATIENCE:g} s")
    except NetworkError as error:
        return Finding("model", "bad", f"{told}: {error}", error.hint or "")
    except (ProviderError, A3SError):
        return Finding("model", "good", f"{told}; its server lists no models")
    if where.model not in names and names:
        hint = f"a3s models {provider} lists the {len(names)} that it has"
        return Finding("model", "missing", f"{told}: the server does not list it", hint)
    return Finding("model", "good", f"{told}; the server answers and has it")


def _embedded(name: str) -> Finding:
    from ..local.weights import installed, runtime_installed

    model = name.partition("/")[2]
    if not runtime_installed():
        return Finding("model", "bad", f"{name} needs the extra local", how_to_add("local"))
    if installed(model, os.environ) is None:
        hint = f"a3s models pull {model}"
        return Finding("model", "bad", f"{name}: its weights are not downloaded", hint)
    return Finding("model", "good", f"{name}, embedded: no key, nothing leaves this machine")


def _sandbox(config: Config, workspace: Path) -> Finding:
    confinement = chosen_confinement(config, dict(os.environ), workspace, None)
    try:
        sandbox = asyncio.run(confinement.sandbox())
    except ConfigError as error:
        return Finding("sandbox", "bad", str(error), error.hint or "")
    if sandbox is not None:
        sandbox.close()
        return Finding("sandbox", "good", "bubblewrap confines commands")
    why = confinement.missing or "it is turned off"
    return Finding("sandbox", "missing", f"none, so only rules limit commands: {why}")


def _programs() -> Iterator[Finding]:
    for name, costs in _PROGRAMS.items():
        found = shutil.which(name)
        if found:
            yield Finding(name, "good", found)
        else:
            yield Finding(name, "missing", f"not found: {costs}")


def _sessions() -> Finding:
    from ..sessions.file import NotKept
    from ..sessions.store import Store

    try:
        directory = Store.find(os.environ).directory
    except NotKept as error:
        return Finding("sessions", "missing", str(error), error.hint or "")
    above = next(one for one in (directory, *directory.parents) if one.exists())
    if not os.access(above, os.W_OK):
        return Finding("sessions", "missing", f"{above} is not writable: no session is saved")
    return Finding("sessions", "good", str(directory))


def _terminal() -> Finding:
    if not os.isatty(1):
        return Finding("terminal", "good", "stdout is not a terminal: a3s run prints JSON")
    style = Style.detect(os.environ, True)
    said = [f"{style.width} columns", os.environ.get("TERM", "") or "TERM is not set"]
    said.append("colours" if style.colour else "no colours")
    if not style.moves:
        said.append("no live line")
    return Finding("terminal", "good", ", ".join(said))
