"""`a3s mcp`: starts servers as a run would, and says what they offer or what is wrong."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..config import mcp_files
from ..config.layers import load
from ..config.mcp_servers import McpServer
from ..config.settings import Config, McpSources
from ..errors import ExitStatus, Unavailable, UsageError
from ..jsontext import dumps
from ..mcp.servers import Servers, Terms, is_read_only
from ..output.log import log_to_stderr
from ..output.person import complain, readable
from ..output.wording import count
from ..run.plan import chosen_confinement
from ..sandbox.environment import child_environment, held_secrets, provider_keys
from ..secrets.masking import mask
from ..secrets.redaction import Redactor
from ..values import Value


class McpQuestion(Value):
    """What is asked of which servers."""

    name: str | None = None
    tools: bool = False
    as_json: bool = False
    cwd: str | None = None
    config_file: str | None = None
    project: bool = True
    files: Sequence[str] = ()
    debug: bool = False


class Report(Value):
    """What became of one server: how long it took, and what it offers or what is wrong."""

    server: McpServer
    milliseconds: int
    info: Mapping[str, Any]
    version: str
    #: As JSON objects, with the names under which they are offered.
    tools: Sequence[Mapping[str, Any]]
    unusable: Sequence[str]
    error: str = ""
    hint: str = ""


def answer(question: McpQuestion) -> tuple[str, int]:
    """Return what is printed, and the exit status."""
    workspace = Path(question.cwd or ".").absolute()
    if not workspace.is_dir():
        raise UsageError(f"-C: there is no directory {question.cwd}")
    config = load(
        {},
        os.environ,
        workspace,
        config_file=question.config_file,
        project=question.project,
        mcp=McpSources(question.files),
    )
    for notice in config.notices:
        complain(notice.text)
    redactor = Redactor(held_secrets(config, os.environ))
    log_to_stderr(redactor, debug=question.debug)
    named = None if question.name is None else [question.name]
    servers = mcp_files.chosen_servers(config, named)
    reports = asyncio.run(_reports(config, workspace, servers))
    text = _json(question, reports) if question.as_json else _text(question, config, reports)
    failed = any(one.error and (named or not one.server.optional) for one in reports)
    return redactor.whole(text), ExitStatus.UNAVAILABLE if failed else ExitStatus.OK


async def _reports(
    config: Config, workspace: Path, servers: Sequence[McpServer]
) -> Sequence[Report]:
    environment = dict(os.environ)
    child = child_environment(environment, config.get("env"), provider_keys(config, environment))
    confined = any(server.sandbox for server in servers)
    confinement = chosen_confinement(config, environment, workspace, None if confined else [])
    terms = [
        Terms([server], workspace, child, sandbox=confinement.server_sandbox) for server in servers
    ]
    return await asyncio.gather(*map(_report, terms))


async def _report(terms: Terms) -> Report:
    server, begun = terms.servers[0], time.monotonic()
    servers = Servers(terms)
    error, hint = "", ""
    try:
        servers.begin()
        for _, said in await servers.ready():
            error = said
    except Unavailable as failure:
        error, hint = mask(str(failure)), mask(failure.hint or "")
    finally:
        taken = round((time.monotonic() - begun) * 1000)
        await servers.close()
    (connection,) = servers.connections
    session = connection.session
    return Report(
        server,
        taken,
        session.info if session else {},
        session.version if session else "",
        [
            {
                "name": one.name,
                "ownName": one.own_name,
                "description": one.description,
                "parameters": one.parameters,
                "annotations": one.annotations,
                "readOnly": is_read_only(server, one),
            }
            for one in connection.tools
            if one.name in servers.tools
        ],
        connection.unusable,
        error,
        hint,
    )


# -- as JSON ---------------------------------------------------------------------------------


def _json(question: McpQuestion, reports: Sequence[Report]) -> str:
    if question.tools:
        (report,) = reports
        if report.error:
            complain(report.error, report.hint or None)
        return dumps(report.tools).decode() + "\n"
    rows = [_object(one) for one in reports]
    return dumps(rows if question.name is None else rows[0]).decode() + "\n"


def _object(report: Report) -> dict[str, Any]:
    server = report.server
    row: dict[str, Any] = {
        "name": server.name,
        "transport": "http" if server.url else "stdio",
        "origin": server.origin,
        "project": server.project,
        "optional": server.optional,
        "works": not report.error,
        "durationMs": report.milliseconds,
        "tools": [one["name"] for one in report.tools],
    }
    if report.version:
        row |= {"protocolVersion": report.version, "serverInfo": report.info}
    if report.unusable:
        row["unusable"] = list(report.unusable)
    if report.error:
        row["error"] = report.error
    if report.hint:
        row["hint"] = report.hint
    return row


# -- for a person ----------------------------------------------------------------------------


def _text(question: McpQuestion, config: Config, reports: Sequence[Report]) -> str:
    if question.tools:
        return _tools_text(reports[0])
    lines: list[str] = []
    for one in reports:
        lines += _lines(one)
    if question.name is None:
        off = [one.name for one in config.mcp_servers.values() if not one.enabled]
        lines += [f"{name}  is not enabled" for name in off]
        if not lines:
            lines = ["no MCP server is configured: see a3s-mcp(5)"]
    return readable("\n".join(lines)) + "\n"


def _lines(report: Report) -> list[str]:
    name = report.server.name
    if report.error:
        hint = [f"    {report.hint}"] if report.hint else []
        return [f"{name}  does not work: {report.error}", *hint]
    who = " ".join(str(report.info.get(key, ""))[:80] for key in ("name", "version")).strip()
    said = (
        f"{count(len(report.tools), 'tool')}, {report.milliseconds} ms, protocol {report.version}"
    )
    return [
        f"{name}  works: {said}{', ' if who else ''}{who}",
        *(f"    not offered: {why}" for why in report.unusable),
    ]


def _tools_text(report: Report) -> str:
    if report.error:
        return readable("\n".join(_lines(report))) + "\n"
    from textwrap import fill

    lines = []
    for one in report.tools:
        marks = ["reads only"] if one["readOnly"] else []
        marks += [f"says {key}" for key, said in one["annotations"].items() if said is True]
        lines.append(f"{one['name']}{'  (' + ', '.join(marks) + ')' if marks else ''}")
        words = " ".join(one["description"].split())[:300]
        lines.append(fill(words, 79, initial_indent="    ", subsequent_indent="    "))
    lines += [f"not offered: {why}" for why in report.unusable]
    lines = lines or [f"{report.server.name}  offers no tools"]
    return readable("\n".join(lines)) + "\n"
