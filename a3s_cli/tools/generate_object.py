"""generate_object: a JSON value of a schema, which is shown while the model writes it.

A request of its own to the run's model, which sees nothing of the conversation
but the prompt. It touches nothing, so it is allowed by default. Whatever happens,
its output is JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..errors import A3SError
from ..messages import Message, Text
from ..processes.time_limit import TimeLimit
from ..tool_protocol import Tool, ToolContext, ToolReturn

if TYPE_CHECKING:
    from ..objects.maker import Task

REPAIRS = 2


class GenerateObject(Tool):
    """The tool."""

    name: ClassVar[str] = "generate_object"
    description: ClassVar[str] = (
        "Have a JSON value of a schema written in a separate request that sees only the prompt. "
        "The user watches it grow; use it when data of a fixed form is asked for."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "schema": {"type": "object", "description": "JSON Schema 2020-12 of the value."},
            "prompt": {
                "type": "string",
                "minLength": 1,
                "description": "What to write, with all that has to be known for it.",
            },
            "schema_name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,59}$"},
            "schema_description": {"type": "string"},
            "system": {"type": "string", "description": "Instructions for that request."},
            "mode": {"enum": ["auto", "strict", "json", "tool", "prompt"]},
            "max_repair_attempts": {"type": "integer", "minimum": 0, "maximum": 5},
        },
        "required": ["schema", "prompt"],
        "additionalProperties": False,
    }
    harmless: ClassVar[bool] = True
    asks_model: ClassVar[bool] = True

    def deadline(self, context: ToolContext) -> float | None:
        return None  # kept in `run`, so that a call that was ended says so in JSON

    def ended(
        self, sentence: str, exit_code: int, reason: Literal["timeout", "cancelled"] | None = None
    ) -> ToolReturn:
        from ..objects.outcome import failure

        return failure(sentence, exit_code=exit_code, reason=reason)

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        from ..objects.maker import NoObject, make
        from ..objects.outcome import failure, success
        from ..validation import SchemaError

        if context.model is None:
            return failure("there is no model here that could be asked")
        try:
            task = _task(arguments)
        except SchemaError as error:
            return failure("the schema is not a valid JSON Schema", [(error.path, error.problem)])
        try:
            async with TimeLimit(context.timeout):
                made = await make(task, context.model, context)
        except TimeoutError:
            said = f"timed out after {context.timeout:g} s"
            return failure(said, exit_code=124, reason="timeout")
        except NoObject as error:
            return failure(str(error), error.violations)
        except A3SError as error:
            return failure(str(error))
        return success(context.redactor.value(made.value), made.repairs)


def _task(arguments: dict[str, Any]) -> Task:
    from ..objects.asking import Wanted
    from ..objects.maker import Task
    from ..objects.schema import Schema

    mode = arguments.get("mode", "auto")
    wanted = Wanted(
        Schema(arguments["schema"]),
        arguments.get("schema_name", "result"),
        arguments.get("schema_description", ""),
    )
    return Task(
        wanted,
        (Message("user", (Text(arguments["prompt"]),)),),
        system=arguments.get("system", ""),
        mode=None if mode == "auto" else mode,
        repairs=arguments.get("max_repair_attempts", REPAIRS),
    )
