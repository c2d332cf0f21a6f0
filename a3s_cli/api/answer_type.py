"""What type the answer of a prompt is to have: a JSON Schema, or a class that has one."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from ..values import Value


class AnswerType(Value):
    """The object that a prompt is to be answered with: a JSON Schema, or a pydantic model's."""

    schema: Any = None
    model: Any = None

    @classmethod
    def of(cls, schema: Any) -> AnswerType:
        """Take a schema as callers give it; raises UsageError for one that is none."""
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
        """Give the value as the model's own type."""
        return value if self.model is None else self.model.model_validate(value)
