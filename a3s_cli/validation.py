"""Does a value satisfy a JSON Schema, and if not, where and why?

Draft 2020-12 by `jsonschema-rs`: complete, and with a regex engine that runs in
linear time, so that no pattern can hang a run. Imported at the first call of a
tool: most of its cost falls into the time that a model thinks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: More violations than this help neither a model nor a person.
MOST = 8
#: Characters of one violation's sentence.
LONGEST = 300


class Validator:
    """One schema, compiled."""

    def __init__(self, schema: dict[str, Any]) -> None:
        import jsonschema_rs

        self._validator = jsonschema_rs.Draft202012Validator(
            schema, pattern_options=jsonschema_rs.RegexOptions()
        )

    def violations(self, value: Any) -> Iterator[tuple[str, str]]:
        """Give (path, sentence) of each violation, `MOST` at most; the root's path is empty."""
        for number, error in enumerate(self._validator.iter_errors(value)):
            if number == MOST:
                return
            path = ".".join(str(step) for step in error.instance_path)
            message = error.message
            yield path, message if len(message) <= LONGEST else message[:LONGEST] + "…"


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """Give the violations as "path: sentence"; empty when the value is valid."""
    found = Validator(schema).violations(value)
    return [f"{path}: {message}" if path else message for path, message in found]
