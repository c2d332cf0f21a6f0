"""The public vocabulary: every event that a run can emit, and nothing else.

These classes *are* the contract. The lines on stdout, `a3s schema`, the Python
API and the manual page all come from them, so a field that is not here does not
exist. `event` has what they share.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ..messages import Usage
from .event import Denial, Event, Own, camel

# Defined beside, and part of the vocabulary; the classes below are found without a list.
__all__ = ["Denial", "Event", "camel"]

SCHEMA_VERSION = 1
StopReason = Literal["end_turn", "tool_use", "max_tokens", "refusal", "paused", "other"]


class Start(Event):
    """The first line of every run, before any network."""

    type: Literal["start"] = "start"
    schema_version: Annotated[int, "version of this contract; later versions only add fields"]
    version: Annotated[Own, "version of a3s"]
    run_id: Annotated[Own, "identifies this run"]
    session_id: Annotated[Own | None, "the session that the run belongs to"] = None
    model: Annotated[str | None, "provider/model"] = None
    cwd: Annotated[str | None, "the workspace: absolute, symlinks resolved"] = None
    prompt: Annotated[str | None, "the user's prompt"] = None
    prompt_bytes: Annotated[int | None, "bytes of the whole prompt, if it was cut"] = None
    truncated: Annotated[bool | None, "true if the prompt was cut"] = None
    tools: Annotated[list[str] | None, "names of the tools offered to the model"] = None
    sandbox: Annotated[Literal["bwrap", "none"] | None, "what confines bash"] = None
    policy_sha256: Annotated[Own | None, "digest of the permission rules in force"] = None
    forked_from: Annotated[Own | None, "the session that this one began as a copy of"] = None
    attachments: Annotated[
        list[dict[str, Any]] | None,
        "name, mediaType, bytes and sha256 of each file with the prompt",
    ] = None
    parent_run_id: Annotated[Own | None, "the run whose command started this one"] = None
    prompt_id: Annotated[str | int | None, "the `id` of the message that asked for this run"] = None
    mcp_servers: Annotated[list[str] | None, "the MCP servers whose tools will be offered"] = None
    tool_count: Annotated[int | None, "how many tools there are, if their list was cut"] = None


class ToolsChanged(Event):
    """The tools on offer have changed: MCP servers have answered or changed their lists."""

    type: Literal["tools_changed"] = "tools_changed"
    tools: Annotated[list[str], "names of all tools that can be called"]
    tool_count: Annotated[int | None, "how many there are, if the list was cut"] = None
    truncated: Annotated[bool | None, "true if the list was cut"] = None


class TurnStart(Event):
    """The main loop sends a request."""

    type: Literal["turn_start"] = "turn_start"
    turn: Annotated[int, "from 1"]


class TextDelta(Event):
    """The model produces text."""

    type: Literal["text_delta"] = "text_delta"
    text: Annotated[str, "the new text, never the text so far"]


def stamped_texts(texts: list[str], seq: int, ts: int) -> list[Event]:
    """Return a stamped text_delta for each text, in bulk: most events of a run are these."""
    new, put, events = TextDelta.__new__, object.__setattr__, list[Event]()
    for number, text in enumerate(texts, seq):
        event = new(TextDelta)
        # Attribute by attribute: this makes no dictionary for the garbage collector to walk.
        put(event, "text", text)
        put(event, "seq", number)
        put(event, "ts", ts)
        events.append(event)
    return events


class ReasoningDelta(Event):
    """The model streams its reasoning, which is never part of the answer."""

    type: Literal["reasoning_delta"] = "reasoning_delta"
    text: Annotated[str, "the new text"]


class ToolInputDelta(Event):
    """A piece of a call's arguments: as the model streams them, or in full before a cut event."""

    type: Literal["tool_input_delta"] = "tool_input_delta"
    tool_id: Annotated[Own, "the call"]
    tool_name: Annotated[str, "the tool"]
    text: Annotated[str, "the next piece of the JSON text"]


class TurnEnd(Event):
    """One model response of the main loop has completed, before its tools run."""

    type: Literal["turn_end"] = "turn_end"
    turn: Annotated[int, "from 1"]
    total_tokens: Annotated[int, "of this turn; 0 if the provider reports none"]
    usage: Annotated[Usage | None, "of this turn, as the provider counts"] = None
    stop_reason: Annotated[StopReason, "why the model stopped"]
    model: Annotated[str | None, "who answered, where it is not the `model` of `start`"] = None


class ToolStart(Event):
    """A permitted call starts to execute."""

    type: Literal["tool_start"] = "tool_start"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[Own, "unique within a session"]
    tool_input: Annotated[dict[str, Any], "the validated arguments"]
    turn: Annotated[int, "the turn that requested it; 0 outside the main loop"]
    rule: Annotated[str, "what allowed it: a rule, `default`, or `user`"]
    input_truncated: Annotated[bool | None, "true where digests replace long strings"] = None


class ToolOutputDelta(Event):
    """A tool streams output."""

    type: Literal["tool_output_delta"] = "tool_output_delta"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[Own, "the call"]
    text: Annotated[str, "the new output: a command's own bytes, or a partial object as JSON"]


class ToolEnd(Event):
    """A tool has completed."""

    type: Literal["tool_end"] = "tool_end"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[Own, "the call"]
    tool_output: Annotated[str, "what the tool returned, at most 48 KiB of it"]
    exit_code: Annotated[int, "bash: the command's own, 128+n for a signal; other tools 0 or 1"]
    reason: Annotated[
        Literal["timeout", "cancelled", "protected"] | None,
        "only if a3s ended the call, or reverted something that it changed",
    ] = None
    duration_ms: Annotated[int, "milliseconds since tool_start"]
    truncated: Annotated[bool | None, "true if toolOutput was cut"] = None
    output_bytes: Annotated[int | None, "bytes of the whole output, if it was cut"] = None
    output_file: Annotated[str | None, "file of the output, up to the cap of its deltas"] = None
    output_sha256: Annotated[Own | None, "digest of that file"] = None
    path: Annotated[
        str | None, "the file or directory of the call; absolute, symlinks resolved"
    ] = None
    sha256: Annotated[Own | None, "write, edit: digest of the file's new content"] = None
    images: Annotated[
        list[dict[str, Any]] | None, "name, mediaType, bytes and sha256 of each file that it shows"
    ] = None
    changed: Annotated[
        list[str] | None,
        "bash: the workspace's files that it changed, created or removed, at most 100 absolute "
        "paths; absent where that is not known",
    ] = None
    structured: Annotated[dict[str, Any] | list[Any] | None, "MCP: the result as JSON"] = None


class PermissionDenied(Event):
    """A call was denied; the model is told."""

    type: Literal["permission_denied"] = "permission_denied"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[Own, "the call"]
    tool_input: Annotated[dict[str, Any], "the arguments"]
    decision: Annotated[Literal["deny", "ask"], "`ask`: it needed approval and did not get it"]
    rule: Annotated[str, "the rule that denied it, or `default`"]
    reason: Annotated[str, "one sentence"]
    hint: Annotated[str, "the flag that would allow it, or empty"]
    input_truncated: Annotated[bool | None, "true where digests replace long strings"] = None


class ToolRejected(Event):
    """A call cannot be executed; the model is told."""

    type: Literal["tool_rejected"] = "tool_rejected"
    tool_name: Annotated[str, "the tool's name as the model wrote it"]
    tool_id: Annotated[Own, "the call"]
    raw_input: Annotated[str, "the arguments as the model wrote them"]
    reason: Annotated[Literal["unknown_tool", "invalid_arguments"], "what is wrong"]
    error: Annotated[str, "one sentence"]
    truncated: Annotated[bool | None, "true if rawInput was cut"] = None
    input_bytes: Annotated[int | None, "bytes of the whole rawInput, if it was cut"] = None


class PermissionRequest(Event):
    """A call needs approval, and the user is asked."""

    type: Literal["permission_request"] = "permission_request"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[Own, "the call"]
    tool_input: Annotated[dict[str, Any], "the arguments"]
    path: Annotated[str | None, "the file it is about; absolute, symlinks resolved"] = None
    rule: Annotated[str, "the rule that asks, or `default`"]
    reason: Annotated[str | None, "why it asks, in one sentence"] = None
    always: Annotated[str | None, "the rule that `always` would add, if it adds one"] = None
    input_truncated: Annotated[bool | None, "true where digests replace long strings"] = None


class UserMessage(Event):
    """A message that the user sent while the run was active was passed to the model."""

    type: Literal["user_message"] = "user_message"
    text: Annotated[str, "what was said"]
    how: Annotated[Literal["steer"], "how it came"]
    truncated: Annotated[bool | None, "true where the text was cut"] = None
    text_bytes: Annotated[int | None, "bytes of the whole text, where it was cut"] = None


class ControlRejected(Event):
    """A line on stdin is not a message or cannot be obeyed now; only with --input json.

    Between two runs it has no `seq`.
    """

    type: Literal["control_rejected"] = "control_rejected"
    error: Annotated[str, "what is wrong, in a sentence"]
    line: Annotated[str, "the first 200 characters of the line"]
    id: Annotated[str | int | None, "the `id` of the message, where it had one"] = None


class PermissionAnswer(Event):
    """The answer to a permission_request."""

    type: Literal["permission_answer"] = "permission_answer"
    tool_id: Annotated[Own, "the call"]
    answer: Annotated[Literal["once", "always", "no"], "`always`: for the rest of this run"]
    by: Annotated[str, "who answered: `user`, `stdin`, `editor`, `program`, `callback` or `nobody`"]
    text: Annotated[str | None, "what the user said with it"] = None


class Retry(Event):
    """A provider request will be sent again."""

    type: Literal["retry"] = "retry"
    attempt: Annotated[int, "number of the next attempt; the first request was 1"]
    max_attempts: Annotated[int, "most attempts that are made"]
    delay_ms: Annotated[int, "milliseconds until then"]
    code: Annotated[Own, "why the last attempt failed: a code of `error`"]
    reason: Annotated[str, "why, in one sentence"]
    status: Annotated[int | None, "the provider's HTTP status"] = None
    turn: Annotated[int | None, "the turn, for a request of the main loop"] = None
    tool_id: Annotated[Own | None, "the call, for a nested request of a tool"] = None
    model: Annotated[str | None, "another model, which is asked now"] = None


class Notice(Event):
    """Something worth knowing that does not affect the result."""

    type: Literal["notice"] = "notice"
    code: Annotated[Own, "what kind of notice"]
    text: Annotated[str, "one sentence"]
    tool_id: Annotated[Own | None, "the call it is about"] = None
    flag: Annotated[str | None, "the flag that changes this"] = None
    key: Annotated[str | None, "the configuration key it is about"] = None
    keys: Annotated[list[str] | None, "the configuration keys it is about"] = None
    file: Annotated[str | None, "the file it is about"] = None
    line: Annotated[int | None, "the line in that file"] = None
    nearest: Annotated[str | None, "the nearest known name"] = None
    limit_bytes: Annotated[int | None, "the limit that was reached"] = None
    received_bytes: Annotated[int | None, "downloaded so far"] = None
    total_bytes: Annotated[int | None, "size of the download"] = None
    source: Annotated[str | None, "where the download comes from"] = None
    path: Annotated[str | None, "the protected path"] = None
    copy: Annotated[str | None, "where the replaced content was saved"] = None
    commit: Annotated[str | None, "a commit that contains a change that was reverted"] = None
    tokens_before: Annotated[int | None, "of the conversation, before cutting; estimated"] = None
    tokens_after: Annotated[int | None, "of the conversation, after cutting; estimated"] = None


class End(Event):
    """The run succeeded. Terminal."""

    type: Literal["end"] = "end"
    text: Annotated[str, "the last turn's text"]
    truncated: Annotated[bool | None, "true if the text was cut"] = None
    text_bytes: Annotated[int | None, "bytes of the whole text, if it was cut"] = None
    total_tokens: Annotated[int, "of all turns and nested requests"]
    usage: Annotated[Usage | None, "of all turns and nested requests"] = None
    turns: Annotated[int, "model responses of the main loop"]
    tool_calls: Annotated[int, "calls that were executed"]
    duration_ms: Annotated[int, "milliseconds since start"]
    exit_code: Annotated[Literal[0], "the process's exit status"] = 0
    permission_denials: Annotated[tuple[Denial, ...] | None, "the refused calls"] = None
    permission_denials_omitted: Annotated[int | None, "how many of them did not fit"] = None
    cost_usd: Annotated[float | None, "cost in US dollars, if the price is known"] = None
    record_head: Annotated[Own | None, "digest of the recording's last line"] = None
    object: Annotated[Any, "with a schema: the validated value"] = None


class Error(Event):
    """The run failed or was cancelled. Terminal."""

    type: Literal["error"] = "error"
    error: Annotated[str, "one sentence that a person can act on"]
    code: Annotated[Own, "the kind of failure"]
    retryable: Annotated[bool, "whether the same run may succeed later"]
    exit_code: Annotated[int, "the process's exit status"]
    turns: Annotated[int, "model responses of the main loop"]
    tool_calls: Annotated[int, "calls that were executed"]
    total_tokens: Annotated[int, "of all turns and nested requests"]
    duration_ms: Annotated[int, "milliseconds since start"]
    permission_denials: Annotated[tuple[Denial, ...] | None, "the refused calls"] = None
    permission_denials_omitted: Annotated[int | None, "how many of them did not fit"] = None
    hint: Annotated[str | None, "the next thing to try"] = None
    signal: Annotated[Own | None, "the signal that cancelled the run, such as SIGINT"] = None
    retry_after_ms: Annotated[int | None, "milliseconds to wait, as the provider asked"] = None
    provider: Annotated[str | None, "the provider that failed"] = None
    status: Annotated[int | None, "its HTTP status"] = None
    record_head: Annotated[Own | None, "digest of the recording's last line"] = None


TERMINAL = ("end", "error")

#: Any event: type checkers narrow it by `event.type`.
# fmt: off
AnyEvent = (
    Start | ToolsChanged | TurnStart | TextDelta | ReasoningDelta | ToolInputDelta | TurnEnd
    | ToolStart | ToolOutputDelta | ToolEnd | PermissionDenied | ToolRejected | PermissionRequest
    | PermissionAnswer | UserMessage | ControlRejected | Retry | Notice | End | Error
)
# fmt: on
