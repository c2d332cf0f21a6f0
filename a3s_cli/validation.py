"""Does a value satisfy a JSON Schema, and if not, where and why?

Draft 2020-12 by `jsonschema-rs`: complete, and with a regex engine that runs in
linear time, so that no pattern can hang a run. Imported at the first call of a
tool: most of its cost falls into the time that a model thinks.
"""

from __future__ import annotations

from typing import Any

#: More violations than this help neither a model nor a person.
MOST = 8


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """Give up to `MOST` violations as "path: sentence"; empty when the value is valid."""
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(
        schema, pattern_options=jsonschema_rs.RegexOptions()
    )
    found = []
    for error in validator.iter_errors(value):
        place = ".".join(str(step) for step in error.instance_path)
        message = error.message if len(error.message) <= 300 else error.message[:300] + "…"
        found.append(f"{place}: {message}" if place else message)
        if len(found) == MOST:
            break
    return found
