"""Makes one valid value: asks the model, shows the answer as it grows, has it corrected.

A round is one answer. Its text goes into `Growing` as it arrives, which says what
to show; when it is over, the value in it is held against the schema, and if it
does not fit the model is shown its own words and what is wrong with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import InvalidObject, ProviderError
from ..messages import Message, Text
from ..model import ObjectMode, Shape, Way
from ..tool_protocol import Model, ModelQuestion, ToolContext
from ..values import Value
from . import partial
from .asking import WRAPPER, Wanted, correction, instructions
from .growing import PAUSE_SECONDS, Growing
from .schema import Violation

#: Characters of an answer that are heard after it was lost, for the usage at its end.
_PATIENCE = 64 * 1024


#: (value, the model's text) -> violations
Check = Callable[[Any, str], Sequence[Violation]]


class Task(Value):
    """What is asked, and how often it may be asked again."""

    wanted: Wanted
    messages: Sequence[Message]
    #: None where the conversation is the run's own.
    system: str | None = None
    mode: ObjectMode | None = None
    repairs: int = 2
    #: What a value has to pass besides the schema.
    check: Check | None = None


class Made(Value):
    """A valid value."""

    value: Any
    repairs: int


class NoObject(InvalidObject):
    """No valid value could be had; `violations` are those of the last one."""

    def __init__(self, message: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)


async def make(task: Task, model: Model, context: ToolContext) -> Made:
    """Return a valid value; raises NoObject, or the A3SError that kept the model from answering."""
    return await _Maker(task, model, context).make()


class _Maker:
    def __init__(self, task: Task, model: Model, context: ToolContext) -> None:
        self._task = task
        self._model = model
        self._context = context
        self._round = 0

    async def make(self) -> Made:
        messages = list(self._task.messages)
        for repairs in range(self._task.repairs + 1):
            shape, heard = await self._answer(messages)
            value, violations = await self._judged(heard)
            if not violations:
                self._context.show(heard.growing.final(value))
                return Made(value, repairs)
            messages += correction(heard.said, violations, shape)
            heard.growing.again()
            self._round = heard.growing.round
        rounds = self._task.repairs
        after = f" after {rounds} repair{'s' * (rounds != 1)}" if rounds else ""
        raise NoObject(f"the model's answer does not fit the schema{after}", violations)

    async def _judged(self, heard: _Hearing) -> tuple[Any, list[Violation]]:
        try:
            value = heard.finish()
        except partial.Violation as violation:
            return None, [("", str(violation))]
        violations = await self._task.wanted.schema.violations(value)
        if not violations and self._task.check:
            violations = list(self._task.check(value, heard.said))
        return value, violations

    async def _answer(self, messages: Sequence[Message]) -> tuple[Shape, _Hearing]:
        """Return an answer, in the best way that the vendor does not refuse."""
        while True:
            way, shape = self._way()
            heard = _Hearing(self._growing(way), shape, self._context)
            try:
                await self._model.ask(self._question(messages, shape), heard)
            except ProviderError as error:
                source = self._task.wanted.schema.source
                if not self._model.refuses(way, source, error, self._context.tool_id):
                    raise
            else:
                return shape, heard
            finally:
                heard.close()

    def _way(self) -> tuple[Way, Shape]:
        # The way that was asked for goes first; what a vendor lacks is no reason to fail.
        ways = self._model.ways(self._task.wanted.schema.source)
        ways = sorted(ways, key=lambda way: way.mode != self._task.mode)
        for way in ways:
            if shape := self._task.wanted.shape(way):
                return way, shape
        raise NoObject("this model cannot be asked for an object")

    def _growing(self, way: Way) -> Growing:
        wanted = self._task.wanted
        growing = Growing(
            roots=wanted.schema.roots,
            accepts=wanted.schema.accepts,
            wrapped=WRAPPER if wanted.is_wrapped(way) else None,
            redactor=self._context.redactor,
        )
        growing.round = self._round
        return growing

    def _question(self, messages: Sequence[Message], shape: Shape) -> ModelQuestion:
        task, told = self._task, instructions(shape)
        if task.system is None:
            asked = Message("user", (Text(f"Give the answer now. {told}"),))
            # What is to be corrected comes after the question that it answers.
            count = len(task.messages)
            messages = [*messages[:count], asked, *messages[count:]]
            system = None
        else:
            system = f"{task.system}\n\n{told}" if task.system else told
        return ModelQuestion(messages, shape, system, self._context.tool_id)


class _Hearing:
    """Hears one answer and shows the value in it."""

    def __init__(self, growing: Growing, shape: Shape, context: ToolContext) -> None:
        self.growing = growing
        self._shape = shape
        self._context = context
        self._clock = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._words: list[str] = []
        self._arguments: list[str] = []
        self._length = 0
        self._lost: partial.Violation | None = None
        self._lost_at = 0

    @property
    def said(self) -> str:
        """The answer as the model wrote it."""
        return "".join(self._arguments or self._words)

    def text(self, text: str) -> None:
        """Take words: the answer, unless a call is."""
        self._words.append(text)
        if not self._arguments:
            self._feed(text)

    def arguments(self, name: str, text: str) -> None:
        """Take the arguments of the call that was asked for."""
        if self._shape.mode != "tool" or name != self._shape.name:
            return
        if not self._arguments and self._words:
            # What was said before the call was not the answer after all.
            self._forget()
        self._arguments.append(text)
        self._feed(text)

    def begin_again(self) -> None:
        """Forget a failed attempt."""
        self._words, self._arguments, self._length = [], [], 0
        self._forget()

    def finish(self) -> Any:
        """Return the value; raises Violation where there is none."""
        if self._lost and self._length > partial.MAX_BYTES:
            raise self._hopeless(self._lost)
        if self._lost:
            raise self._lost
        return self.growing.finish()

    def close(self) -> None:
        """Show nothing any more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _forget(self) -> None:
        self.close()
        self._lost = None
        self.growing.retry()

    def _feed(self, text: str) -> None:
        self._length += len(text)
        try:
            shown = self.growing.feed(text)
        except partial.Violation as violation:
            if self._lost is None:
                self.close()
                self._lost, self._lost_at = violation, self._length
            elif self._length - self._lost_at > _PATIENCE:
                raise self._hopeless(self._lost) from None
            return
        # It may have been lost in reasoning that has come to its end.
        self._lost = None
        self._show(shown)
        self.close()
        if self.growing.pending:
            self._timer = self._clock.call_later(PAUSE_SECONDS, self._flush)

    def _hopeless(self, why: partial.Violation) -> NoObject:
        return NoObject(f"the answer cannot be used: {why.problem}", [("", str(why))])

    def _flush(self) -> None:
        self._show(self.growing.flush())

    def _show(self, document: str | None) -> None:
        if document:
            self._context.show(document)
