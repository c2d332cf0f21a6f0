"""The type that a prompt's answer must have: a JSON Schema, or a class that has one."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from ..values import Value


class AnswerType(Value):
    """The type of a prompt's answer: a JSON Schema, or the one of a pydantic model."""

    schema: Any = None
    model: Any = None

    @classmethod
    def of(cls, schema: Any) -> AnswerType:
        """Accept a JSON Schema, a pydantic model or None. Raises UsageError if it is invalid."""
        if schema is None:
            return cls()
        model = schema if hasattr(schema, "model_json_schema") else None
        source = schema if model is None else model.model_json_schema()
        from ..objects.schema import Schema
        from ..validation import SchemaError

        try:
            Schema(source)
        except SchemaError as error:
            raise UsageError(f"the schema: {error}") from None
        return cls(source, model)

    def instance(self, value: Any) -> Any:
        """Return the value as an instance of the pydantic model, if there is one."""
        return value if self.model is None else self.model.model_validate(value)
