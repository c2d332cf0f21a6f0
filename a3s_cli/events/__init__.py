"""The public vocabulary: every event that a run can emit, and nothing else.

These classes *are* the contract. The lines on stdout, `a3s schema`, the Python
API and the manual page all come from them, so a field that is not here does not
exist. What all of them share is in `event`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ..messages import Usage
from .event import Denial, Event, camel

# Defined beside, and part of the vocabulary; the classes below are found without a list.
__all__ = ["Denial", "Event", "camel"]

SCHEMA_VERSION = 1
StopReason = Literal["end_turn", "tool_use", "max_tokens", "refusal", "other"]


class Start(Event):
    """The first line of every run, before any network."""

    type: Literal["start"] = "start"
    schema_version: Annotated[int, "version of this contract; fields are only added"]
    version: Annotated[str, "version of a3s"]
    run_id: Annotated[str, "names this run"]
    session_id: Annotated[str | None, "names the session that the run belongs to"] = None
    model: Annotated[str | None, "provider/model"] = None
    cwd: Annotated[str | None, "the workspace: absolute, links resolved"] = None
    prompt: Annotated[str | None, "what was asked"] = None
    prompt_bytes: Annotated[int | None, "bytes of the whole prompt, where it was cut"] = None
    truncated: Annotated[bool | None, "true where the prompt was cut"] = None
    tools: Annotated[list[str] | None, "names of the tools offered to the model"] = None
    sandbox: Annotated[Literal["bwrap", "none"] | None, "what confines bash"] = None
    policy_sha256: Annotated[str | None, "digest of the permission rules in force"] = None


class TurnStart(Event):
    """A request of the main loop is sent."""

    type: Literal["turn_start"] = "turn_start"
    turn: Annotated[int, "from 1"]


class TextDelta(Event):
    """The model produces text."""

    type: Literal["text_delta"] = "text_delta"
    text: Annotated[str, "what is new, never the text so far"]


def stamped_texts(texts: list[str], seq: int, ts: int) -> list[Event]:
    """Give a stamped text_delta for each text, in bulk: most events of a run are these."""
    new, put, events = TextDelta.__new__, object.__setattr__, list[Event]()
    for number, text in enumerate(texts, seq):
        event = new(TextDelta)
        # Attribute by attribute, which makes no dictionary for the garbage collector to walk.
        put(event, "text", text)
        put(event, "seq", number)
        put(event, "ts", ts)
        events.append(event)
    return events


class ReasoningDelta(Event):
    """The model streams its reasoning; never part of the answer."""

    type: Literal["reasoning_delta"] = "reasoning_delta"
    text: Annotated[str, "what is new"]


class ToolInputDelta(Event):
    """A piece of a call's arguments: as the model streams them, or whole before a cut event."""

    type: Literal["tool_input_delta"] = "tool_input_delta"
    tool_id: Annotated[str, "the call"]
    tool_name: Annotated[str, "the tool"]
    text: Annotated[str, "the next piece of the JSON text"]


class TurnEnd(Event):
    """One model response of the main loop has completed, before its tools run."""

    type: Literal["turn_end"] = "turn_end"
    turn: Annotated[int, "from 1"]
    total_tokens: Annotated[int, "of this turn; 0 if the provider told nothing"]
    usage: Annotated[Usage | None, "of this turn, as the provider counted"] = None
    stop_reason: Annotated[StopReason, "why the model stopped"]


class ToolStart(Event):
    """A permitted call begins to execute."""

    type: Literal["tool_start"] = "tool_start"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[str, "unique within a session"]
    tool_input: Annotated[dict[str, Any], "the validated arguments"]
    turn: Annotated[int, "the turn that asked for it; 0 outside the main loop"]
    rule: Annotated[str, "what allowed it: a rule, `default`, or `user`"]
    input_truncated: Annotated[bool | None, "true where digests replace long strings"] = None


class ToolOutputDelta(Event):
    """A tool streams output."""

    type: Literal["tool_output_delta"] = "tool_output_delta"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[str, "the call"]
    text: Annotated[str, "what is new: a command's own bytes, or a partial object as JSON"]


class ToolEnd(Event):
    """A tool has completed."""

    type: Literal["tool_end"] = "tool_end"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[str, "the call"]
    tool_output: Annotated[str, "what the tool returned, at most 48 KiB of it"]
    exit_code: Annotated[int, "bash: the command's own, 128+n for a signal; other tools 0 or 1"]
    reason: Annotated[Literal["timeout", "cancelled"] | None, "only if we ended the call"] = None
    duration_ms: Annotated[int, "milliseconds since its tool_start"]
    truncated: Annotated[bool | None, "true where toolOutput is a cut"] = None
    output_bytes: Annotated[int | None, "bytes of the whole output, where it was cut"] = None
    output_file: Annotated[
        str | None, "where the output was kept whole, up to the cap of its deltas"
    ] = None
    output_sha256: Annotated[str | None, "digest of that file"] = None
    path: Annotated[str | None, "the file or directory it was about; absolute, links resolved"] = (
        None
    )
    sha256: Annotated[str | None, "write, edit: digest of the file's new content"] = None


class PermissionDenied(Event):
    """A call was refused; the model is told."""

    type: Literal["permission_denied"] = "permission_denied"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[str, "the call"]
    tool_input: Annotated[dict[str, Any], "the arguments"]
    decision: Annotated[Literal["deny", "ask"], "`ask`: nobody was there to answer"]
    rule: Annotated[str, "the rule that refused it, or `default`"]
    reason: Annotated[str, "one sentence"]
    hint: Annotated[str, "the flag that would allow it, or empty"]
    input_truncated: Annotated[bool | None, "true where digests replace long strings"] = None


class ToolRejected(Event):
    """A call that cannot be executed; the model is told."""

    type: Literal["tool_rejected"] = "tool_rejected"
    tool_name: Annotated[str, "the tool's name as the model wrote it"]
    tool_id: Annotated[str, "the call"]
    raw_input: Annotated[str, "the arguments as the model wrote them"]
    reason: Annotated[Literal["unknown_tool", "invalid_arguments"], "what is wrong"]
    error: Annotated[str, "one sentence"]
    truncated: Annotated[bool | None, "true where rawInput was cut"] = None
    input_bytes: Annotated[int | None, "bytes of the whole rawInput, where it was cut"] = None


class PermissionRequest(Event):
    """Somebody is being asked."""

    type: Literal["permission_request"] = "permission_request"
    tool_name: Annotated[str, "the tool"]
    tool_id: Annotated[str, "the call"]
    tool_input: Annotated[dict[str, Any], "the arguments"]
    path: Annotated[str | None, "the file it is about; absolute, links resolved"] = None
    rule: Annotated[str, "the rule that asks, or `default`"]
    reason: Annotated[str | None, "why it is asked, in a sentence"] = None
    always: Annotated[str | None, "the rule that `always` would add, where it adds one"] = None
    input_truncated: Annotated[bool | None, "true where digests replace long strings"] = None


class PermissionAnswer(Event):
    """The answer to a permission_request."""

    type: Literal["permission_answer"] = "permission_answer"
    tool_id: Annotated[str, "the call"]
    answer: Annotated[Literal["once", "always", "no"], "`always`: for the rest of this run"]
    by: Annotated[str, "who answered"]


class Retry(Event):
    """A provider request will be sent again."""

    type: Literal["retry"] = "retry"
    attempt: Annotated[int, "the number of the attempt that comes; the first request was 1"]
    max_attempts: Annotated[int, "how many attempts there may be"]
    delay_ms: Annotated[int, "how long until then"]
    code: Annotated[str, "why the last attempt failed: a code of `error`"]
    reason: Annotated[str, "why, in a sentence"]
    status: Annotated[int | None, "the provider's HTTP status"] = None
    turn: Annotated[int | None, "the turn whose request it is"] = None
    tool_id: Annotated[str | None, "the call whose nested request it is"] = None


class Notice(Event):
    """Something worth knowing that changes no verdict."""

    type: Literal["notice"] = "notice"
    code: Annotated[str, "what kind of notice"]
    text: Annotated[str, "one sentence"]
    tool_id: Annotated[str | None, "the call it is about"] = None
    flag: Annotated[str | None, "the flag that changes it"] = None
    key: Annotated[str | None, "the configuration key it is about"] = None
    keys: Annotated[list[str] | None, "the configuration keys it is about"] = None
    file: Annotated[str | None, "the file it is about"] = None
    line: Annotated[int | None, "the line in that file"] = None
    nearest: Annotated[str | None, "the known name that is nearest"] = None
    limit_bytes: Annotated[int | None, "the limit that was reached"] = None
    received_bytes: Annotated[int | None, "of a download so far"] = None
    total_bytes: Annotated[int | None, "of a download"] = None
    source: Annotated[str | None, "where a download comes from"] = None
    tokens_before: Annotated[int | None, "of a conversation that was shortened; estimated"] = None
    tokens_after: Annotated[int | None, "of what is left of it; estimated"] = None


class End(Event):
    """The run has succeeded. Terminal."""

    type: Literal["end"] = "end"
    text: Annotated[str, "the last turn's text"]
    truncated: Annotated[bool | None, "true where the text was cut"] = None
    text_bytes: Annotated[int | None, "bytes of the whole text, where it was cut"] = None
    total_tokens: Annotated[int, "of all turns and nested requests"]
    usage: Annotated[Usage | None, "of all turns and nested requests"] = None
    turns: Annotated[int, "model responses of the main loop"]
    tool_calls: Annotated[int, "calls that were executed"]
    duration_ms: Annotated[int, "milliseconds since start"]
    exit_code: Annotated[Literal[0], "the process's exit status"] = 0
    permission_denials: Annotated[tuple[Denial, ...] | None, "the refused calls"] = None
    permission_denials_omitted: Annotated[int | None, "how many of them did not fit"] = None
    cost_usd: Annotated[float | None, "where the price is known"] = None
    record_head: Annotated[str | None, "digest of the recording's last line"] = None
    object: Annotated[Any, "with a schema: the validated value"] = None


class Error(Event):
    """The run has failed or was cancelled. Terminal."""

    type: Literal["error"] = "error"
    error: Annotated[str, "one sentence that a person can act on"]
    code: Annotated[str, "which failure"]
    retryable: Annotated[bool, "whether the same run may succeed later"]
    exit_code: Annotated[int, "the process's exit status"]
    turns: Annotated[int, "model responses of the main loop"]
    tool_calls: Annotated[int, "calls that were executed"]
    total_tokens: Annotated[int, "of all turns and nested requests"]
    duration_ms: Annotated[int, "milliseconds since start"]
    permission_denials: Annotated[tuple[Denial, ...] | None, "the refused calls"] = None
    permission_denials_omitted: Annotated[int | None, "how many of them did not fit"] = None
    hint: Annotated[str | None, "the next thing to try"] = None
    signal: Annotated[str | None, "the signal that cancelled the run, such as SIGINT"] = None
    retry_after_ms: Annotated[int | None, "how long the provider asked to be left alone"] = None
    provider: Annotated[str | None, "the provider that failed"] = None
    status: Annotated[int | None, "its HTTP status"] = None
    record_head: Annotated[str | None, "digest of the recording's last line"] = None


TERMINAL = ("end", "error")

#: Any of them: type checkers narrow it by `event.type`.
# fmt: off
AnyEvent = (
    Start | TurnStart | TextDelta | ReasoningDelta | ToolInputDelta | TurnEnd | ToolStart
    | ToolOutputDelta | ToolEnd | PermissionDenied | ToolRejected | PermissionRequest
    | PermissionAnswer | Retry | Notice | End | Error
)
# fmt: on
