"""The type that a prompt's answer must have: a JSON Schema, or a Python type that has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from .exact_json import validated

#: path of the value in question (empty for the root), sentence
Violation = tuple[str, str]


class AnswerType:
    """The type of a prompt's answer.

    A pydantic model, a dataclass, a TypedDict, `list[X]` or a TypeAdapter checks an answer
    itself: as JSON, in which a date is a string, and with validators of its own. What
    they refuse the model is told, and the value of the last check is the answer.
    """

    def __init__(self, schema: Any = None, adapter: Any = None) -> None:
        self.schema = schema
        self._adapter = adapter
        self._instance: tuple[Any, ...] = ()

    @classmethod
    def of(cls, schema: Any) -> AnswerType:
        """Accept a JSON Schema, a type or None. Raises UsageError if it is invalid."""
        if schema is None:
            return cls()
        adapter = None if isinstance(schema, dict | bool) else _adapter(schema)
        source = schema if adapter is None else _schema_of(adapter)
        from ..objects.schema import Schema
        from ..validation import SchemaError

        try:
            Schema(source)
        except SchemaError as error:
            raise UsageError(f"the schema: {error}") from None
        return cls(source, adapter)

    def check(self, value: Any, text: str = "") -> Sequence[Violation]:
        """Return what the type itself refuses in a value that its schema accepts.

        `text` is what the model wrote: it has the digits that a number may have lost.
        """
        if self._adapter is None:
            return ()
        from pydantic import ValidationError

        try:
            self._instance = (validated(self._adapter.validate_json, value, text),)
        except ValidationError as error:
            return [
                (".".join(map(str, one["loc"])), one["msg"])
                for one in error.errors(include_url=False, include_context=False)
            ]
        except Exception as error:  # noqa: BLE001 - a validator of the user's
            return [("", f"{type(error).__name__}: {error}")]
        return ()

    def instance(self, value: Any) -> Any:
        """Return the value as an instance of the type, if there is one."""
        if self._adapter is None:
            return value
        return (
            self._instance[0] if self._instance else validated(self._adapter.validate_json, value)
        )


def _adapter(schema: Any) -> Any:
    from pydantic import PydanticUserError, TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError

    if isinstance(schema, TypeAdapter):
        return schema
    try:
        return TypeAdapter(schema)
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError, NameError) as error:
        raise UsageError(
            f"the schema: expected a JSON Schema or a type that pydantic knows: {error}"
        ) from None


def _schema_of(adapter: Any) -> Any:
    from pydantic import PydanticInvalidForJsonSchema, PydanticUserError

    try:
        return adapter.json_schema()
    except (PydanticInvalidForJsonSchema, PydanticUserError) as error:
        raise UsageError(f"the schema: the type has no JSON Schema: {error}") from None
