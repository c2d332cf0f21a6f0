"""One answer of a small model: what it may do next, and what its answer still has to say.

A large model needs none of this. Each restraint answers one kind of failure:

- it says what it would do: where the prompt plainly needs a look or a change, the answer
  has to begin with a call, and words before the change are asked for again, once, unseen;
- it repeats itself: a call that was just made, in whatever variant, leaves only words;
- it overwrites what it has not read: such a call becomes a look at the file;
- it alters a file by appending to it: then only a change of what is there is allowed;
- it does not report what came out: that is put behind the answer (`grounding`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from ..messages import Message, ToolCall, ToolSpec, Usage
from ..model import CallChunk, Chunk, Request, StopChunk, UsageChunk
from ..values import State, field, replace
from . import amends, checks, choice, grounding, intent, leftovers, prompt, restraint
from .restraint import calls_since, is_tool

#: Calls in answer to one prompt, and failing ones after which it may give up in words.
MOST_CALLS, MOST_TRIES = 12, 3
#: How often words in place of a call are refused in answer to one prompt.
MOST_REFUSALS = 3
#: Bytes of a file that is written anew where an edit has failed.
SMALL = 3000
NOW = "Now make the change."
WHOLE = "Write the whole file again, with the change in it."
WORDS = "That has been done. Answer the question in words now."
RECOUNT = "That is not the number in the result. Answer again with the number in the result."
#: What is said to a model that has answered in words where something is to be changed, or run.
NUDGE = "Nothing has been changed yet. Do it now with a tool."
RUN = "It has not been run yet. Run it now with bash."

Answer = AsyncGenerator[list[Chunk], None]
#: Sends a request in which these tools may be called; the last argument: must one be?
Ask = Callable[[Request, Sequence[ToolSpec], bool], Answer]


class Conduct(State):
    """Answers requests of one run."""

    ask: Ask
    workspace: Path
    #: The arguments of the changes that became a look at the file.
    diverted: set[str] = field(default_factory=set)

    async def answer(
        self, request: Request, history: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> Answer:
        """Yield the answer to an adapted request; `history` is the conversation as it is."""
        asked = last_words(history)
        if history[-1].role == "user":
            self._begun(asked)
        if text := self._shown(asked, history):
            yield [text, StopChunk("end_turn")]
            return
        request, offered, must = self._plan(request, history, tools, asked)
        nudge = self._nudge(asked, history, tools) if offered else ""
        counts = intent.wants_number(asked) and bool(grounding.outputs_since(history))
        held: list[Chunk] = []
        first = self._passed(self.ask(request, offered, must), held, bool(nudge) or counts)
        async with aclosing(first) as answer:
            async for chunks in answer:
                yield chunks
        second = self._second(request, history, held, asked, tools, nudge)
        if second is not None:
            spent = sum((c.usage for c in held if isinstance(c, UsageChunk)), Usage())
            self._text, held = "", []
            async with aclosing(self._passed(second, held, False, spent)) as answer:
                async for chunks in answer:
                    yield chunks
        yield self._finished(held, history, tools, asked)

    def _plan(
        self, request: Request, history: Sequence[Message], tools: Sequence[ToolSpec], asked: str
    ) -> tuple[Request, Sequence[ToolSpec], bool]:
        """Return the request, the tools that may be called, and whether one must be."""
        calls = calls_since(history)
        if len(calls) >= MOST_CALLS or restraint.is_stuck(history, tools):
            return request, (), False
        allowed = tools
        if not intent.may_change(asked):
            allowed = [tool for tool in allowed if not tool.writes]
        elif choice.fills(asked, self.workspace):
            allowed = [tool for tool in allowed if tool.name != "edit"]
        if writers := self._rewriting(history, allowed):
            return with_advice(request, WHOLE), writers, True
        step = choice.next_step(asked, self.workspace, calls)
        if editors := [tool for tool in allowed if tool.name == step]:
            request = with_advice(request, self._faults(asked) or NOW)
            path = self.workspace / restraint.path_of(calls[0][0])
            return request, [choice.narrowed(tool, path) for tool in editors], True
        if allowed and self._must_call(asked, history):
            return request, self._offered(asked, history, allowed), True
        return request, allowed, False

    async def _passed(
        self, answer: Answer, held: list[Chunk], hold: bool, spent: Usage | None = None
    ) -> Answer:
        """Pass on the words of an answer as they come; hold back the rest, or all of it."""
        async with aclosing(answer) as parts:
            async for part in parts:
                chunks = [
                    UsageChunk(spent + c.usage) if spent and isinstance(c, UsageChunk) else c
                    for c in part
                ]
                if hold or held or any(isinstance(c, (CallChunk, StopChunk)) for c in chunks):
                    held += chunks
                else:
                    yield chunks
                    self._said(chunks)

    _text: str = ""
    #: The directory before the first call, where it is to be changed; how often words were refused.
    _before: checks.State | None = None
    _refused: int = 0

    def _begun(self, asked: str) -> None:
        changes = intent.wants_change(asked, self.workspace)
        self._before = checks.state(self.workspace) if changes else None
        self._refused = 0

    def _changed(self, history: Sequence[Message], tools: Sequence[ToolSpec]) -> bool:
        """Return whether a call has changed something, as far as that can be seen."""
        if not restraint.has_changed(history, tools):
            return False
        return self._before is None or checks.state(self.workspace) != self._before

    def _said(self, chunks: Sequence[Chunk]) -> None:
        self._text += "".join(c for c in chunks if isinstance(c, str))

    def _shown(self, asked: str, history: Sequence[Message]) -> str:
        """Return the file that was to be shown, once it has been read."""
        self._text = ""
        path = intent.shown(asked, self.workspace)
        calls = calls_since(history)
        if not path or len(calls) != 1 or calls[0][1] or calls[0][0].name != "read":
            return ""
        if restraint.parsed(calls[0][0].arguments) != {"file_path": path}:
            return ""
        return grounding.reported(grounding.outputs_since(history)[0].output, "read")

    def _nudge(self, asked: str, history: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        """Return what is to be said to words in place of a change; empty if none is missing."""
        calls = calls_since(history)
        if not intent.wants_change(asked, self.workspace) or self._refused >= MOST_REFUSALS:
            return ""
        unmade = leftovers.unmade(asked, self.workspace)
        if broken := _broken(calls, tools):
            return f"{broken} does not work yet.\nMend it with a tool."
        if calls and calls[0][1] and not (unmade and intent.files(asked, self.workspace)):
            return ""
        if unmade and calls:
            return f"{unmade} {leftovers.lack(self.workspace / unmade)}.\nMake it now with a tool."
        if not self._changed(history, tools):
            return NUDGE
        if left := leftovers.left_over(asked, self.workspace):
            return f"{left}\nChange that, too, with a tool."
        changes = [one for one in calls if is_tool(tools, one[0].name, "writes")]
        if fault := self._faults(asked, changes):
            return f"{fault}\nMend that with a tool."
        has_run = any(call.name == "bash" for call, _ in calls)
        return RUN if intent.wants_run(asked) and not has_run else ""

    def _faults(self, asked: str, calls: Sequence[tuple[ToolCall, bool]] = ()) -> str:
        """Return what is wrong with the syntax of files: those to be fixed, and those changed."""
        paths = set(intent.files(asked, self.workspace)) if intent.fixes(asked) else set()
        paths |= {restraint.path_of(call) for call, failed in calls if not failed} - {""}
        faults = (checks.fault(self.workspace / path) for path in sorted(paths))
        return "\n".join(filter(None, faults))

    def _must_call(self, asked: str, history: Sequence[Message]) -> bool:
        """Return whether words would be a guess: nothing has been seen, or only failures."""
        results = grounding.outputs_since(history)
        if len(results) >= MOST_TRIES or any(not prompt.is_vain(result) for result in results):
            return False
        # How a program fails that was to be run is what was asked for.
        if choice.is_run(asked, self.workspace) and any(r.name == "bash" for r in results):
            return False
        if results and prompt.is_absent(results[0].output):
            return False
        return intent.needs_call(asked, self.workspace)

    def _offered(
        self, asked: str, history: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> Sequence[ToolSpec]:
        """Return the tools of a call that must be, without those that cannot be meant."""
        # What has found nothing finds nothing again.
        vain = {result.name for result in grounding.outputs_since(history)} - {"bash"}
        names = {} if vain else choice.first(asked, self.workspace)
        meant = [
            tool for tool in tools if tool.name not in vain and (not names or tool.name in names)
        ]
        return meant or tools

    def _second(
        self,
        request: Request,
        history: Sequence[Message],
        held: Sequence[Chunk],
        asked: str,
        tools: Sequence[ToolSpec],
        nudge: str,
    ) -> Answer | None:
        """Return another answer in place of the first; None if that one will do."""
        call = next((chunk for chunk in held if isinstance(chunk, CallChunk)), None)
        if call is None:
            ended = any(isinstance(c, StopChunk) and c.reason == "end_turn" for c in held)
            text = "".join(chunk for chunk in held if isinstance(chunk, str))
            if not ended or not text.strip():
                return None
            if not nudge:
                return self._recounted(request, history, text, asked)
            self._refused += 1
            said = [prompt.said("assistant", text), prompt.said("user", nudge)]
            changing = [tool for tool in tools if not tool.harmless]
            again = replace(request, messages=[*request.messages, *said])
            return self.ask(again, changing, True) if changing else None
        if restraint.repeats(call, history, tools):
            return self.ask(with_advice(request, WORDS), (), False)
        if intent.alters(asked) and restraint.appends(call):
            editors = [tool for tool in tools if tool.writes]
            return self.ask(request, editors, True) if editors else None
        return None

    def _recounted(
        self, request: Request, history: Sequence[Message], text: str, asked: str
    ) -> Answer | None:
        """Return another answer in place of one whose number nothing has printed."""
        results = grounding.outputs_since(history)
        if not intent.wants_number(asked) or not grounding.missing(text, asked, results):
            return None
        said = [prompt.said("assistant", text), prompt.said("user", RECOUNT)]
        return self.ask(replace(request, messages=[*request.messages, *said]), (), False)

    def _rewriting(
        self, history: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> Sequence[ToolSpec]:
        """Return the tool that writes a small file anew where an edit of it has just failed."""
        calls = calls_since(history)
        if not calls or calls[0][0].name != "edit" or not calls[0][1]:
            return ()
        path = self.workspace / restraint.path_of(calls[0][0])
        if not path.is_file() or path.stat().st_size > SMALL:
            return ()
        return [tool for tool in tools if tool.name == "write"]

    def _finished(
        self,
        held: Sequence[Chunk],
        history: Sequence[Message],
        tools: Sequence[ToolSpec],
        asked: str,
    ) -> list[Chunk]:
        """Return the rest of an answer: a look before a change, or what came out behind it."""
        finished: list[Chunk] = []
        called = any(isinstance(chunk, CallChunk) for chunk in held)
        for chunk in held:
            if isinstance(chunk, StopChunk) and chunk.reason == "end_turn" and not called:
                results = grounding.outputs_since(history)
                if results and is_tool(tools, results[0].name, "writes"):
                    results = []
                results = [r for r in results if not is_tool(tools, r.name, "writes")]
                if added := grounding.missing(self._text, asked, results):
                    finished.append(f"\n\n{added}" if self._text.strip() else added)
            elif isinstance(chunk, str):
                self._said([chunk])
            if isinstance(chunk, CallChunk):
                chunk = amends.amended(chunk, asked, self.workspace)  # noqa: PLW2901
            finished.append(self._looking_first(self._known(chunk, history, tools), history, tools))
        return finished

    def _known(self, chunk: Chunk, history: Sequence[Message], tools: Sequence[ToolSpec]) -> Chunk:
        """Turn a look at a name out of nowhere, often that of an example, into a look around.

        A file whose name is searched for in all files is looked at itself, or looked for.
        """
        if not isinstance(chunk, CallChunk) or chunk.name not in ("ls", "read", "grep"):
            return chunk
        arguments = restraint.parsed(chunk.arguments)
        values = list(arguments.values()) if isinstance(arguments, dict) else []
        if len(values) != 1 or not isinstance(values[0], str) or not values[0].strip():
            return chunk
        asked = last_words(history)
        if chunk.name == "grep":
            if values[0] in intent.files(asked, self.workspace):
                return _instead(chunk, tools, "read", {"file_path": values[0]})
            if choice.finds(asked, values[0]):
                return _instead(chunk, tools, "glob", {"pattern": f"**/{values[0]}"})
            return chunk
        named = Path(values[0]).name
        heard = [asked, *(r.output for r in grounding.outputs_since(history))]
        if (self.workspace / values[0]).exists() or any(named in text for text in heard):
            return chunk
        return _instead(chunk, tools, "ls", {"path": "."})

    def _looking_first(
        self, chunk: Chunk, history: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> Chunk:
        """Turn the change of a file that the model has not seen into a look at it."""
        if not isinstance(chunk, CallChunk) or not is_tool(tools, chunk.name, "writes"):
            return chunk
        path = restraint.path_of(chunk)
        seen = any(
            path in call.arguments and call.name not in ("grep", "glob")
            for call, _ in calls_since(history)
        )
        readable = any(tool.name == "read" for tool in tools)
        if not path or seen or not readable or not (self.workspace / path).is_file():
            return chunk
        look = json.dumps({"file_path": path})
        self.diverted.add(look)
        return replace(chunk, name="read", arguments=look)


def _broken(calls: Sequence[tuple[ToolCall, bool]], tools: Sequence[ToolSpec]) -> str:
    """Return the program that was just made and failed when it was run."""
    if not calls or not calls[0][1] or calls[0][0].name != "bash":
        return ""
    written = (call for call, failed in calls if not failed and is_tool(tools, call.name, "writes"))
    made = {restraint.path_of(call) for call in written} - {""}
    return next((path for path in sorted(made) if path in calls[0][0].arguments), "")


def _instead(
    chunk: CallChunk, tools: Sequence[ToolSpec], name: str, arguments: dict[str, str]
) -> CallChunk:
    """Return another call in place of one, if there is such a tool."""
    if not is_tool(tools, name, "harmless"):
        return chunk
    return replace(chunk, name=name, arguments=json.dumps(arguments))


def with_advice(request: Request, advice: str) -> Request:
    """Return a request whose last turn ends in an advice."""
    *before, last = request.messages
    return replace(request, messages=[*before, prompt.said(last.role, f"{last.text}\n{advice}")])


def last_words(history: Sequence[Message]) -> str:
    """Return what the user last said."""
    for message in reversed(history):
        if message.role == "user":
            return message.text
    return ""
