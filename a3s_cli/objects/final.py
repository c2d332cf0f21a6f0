"""The last answer of a run with a schema: an object, made of the run's own conversation.

It looks like a call of `generate_object`, so that a growing object is followed in
one way only, but the model did not make it and no rule applies to it. It may take
as long as the run may.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from ..errors import A3SError
from ..messages import Message
from ..tool_protocol import Tool, ToolContext, ToolReturn
from .asking import Wanted
from .maker import Check, NoObject, Task, make
from .outcome import failure, success
from .schema import Schema

REPAIRS = 2

#: What a run says in the user's place where the conversation does not end with a prompt.
AS_JSON = "Give the answer as JSON."


class FinalObject(Tool):
    """Asks for the object; afterwards there is either a value or a reason why not."""

    name: ClassVar[str] = "generate_object"
    description: ClassVar[str] = "The run's last answer."
    parameters: ClassVar[dict[str, Any]] = {"type": "object"}

    def __init__(
        self, schema: Schema, messages: Sequence[Message], check: Check | None = None
    ) -> None:
        self._task = Task(Wanted(schema), messages, repairs=REPAIRS, check=check)
        #: The value, as the only element; empty where there is none.
        self.value: tuple[Any, ...] = ()
        self.failure: A3SError | None = None

    def deadline(self, context: ToolContext) -> float | None:
        return None

    def ended(
        self, sentence: str, exit_code: int, reason: Literal["timeout", "cancelled"] | None = None
    ) -> ToolReturn:
        return failure(sentence, exit_code=exit_code, reason=reason)

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        assert context.model
        try:
            made = await make(self._task, context.model, context)
        except A3SError as error:
            self.failure = error
            return failure(str(error), error.violations if isinstance(error, NoObject) else ())
        self.value = (made.value,)
        return success(context.redactor.value(made.value), made.repairs)
