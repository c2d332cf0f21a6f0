"""How each wire carries images and PDFs; loaded for the conversations that have some.

In a message of the user, all four wires take them beside the text. In the result of a
call, Messages and Responses take them as well. Chat Completions has no place for them
there, so they follow the results in a message of the user; the quirk `tool_files` is
"inline" for a server that takes them in the result, and "user" for a Responses server
that does not. Gemini takes them within the result from its third version on, and
before that beside it.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from typing import Any

from ..messages import File, Message, Part, Text, ToolResult

#: The Gemini models that take files only beside the result of a call.
BESIDE_MODELS = r"gemini-[12]\b|gemma"

Json = dict[str, Any]


def message_block(file: File) -> Json:
    """Return the block of a file in the Messages wire."""
    source = {"type": "base64", "media_type": file.media_type, "data": _base64(file)}
    if file.is_image:
        return {"type": "image", "source": source}
    return {"type": "document", "source": source, "title": file.name}


def message_result(result: ToolResult) -> list[Json]:
    """Return the content of a result with files in the Messages wire."""
    said = [{"type": "text", "text": result.output}] if result.output.strip() else []
    return [*said, *map(message_block, result.files)]


def chat_content(message: Message, quirks: Mapping[str, Any]) -> list[Json]:
    """Return the parts of a user's message in the Chat Completions wire."""
    return _chat_parts(message.parts, quirks)


def chat_output(result: ToolResult, quirks: Mapping[str, Any]) -> str | list[Json]:
    """Return the content of a tool message in the Chat Completions wire."""
    if quirks.get("tool_files") != "inline" or not result.files:
        return result.output
    return _chat_parts([Text(result.output), *result.files], quirks)


def chat_follow(results: Iterable[ToolResult], quirks: Mapping[str, Any]) -> list[Json]:
    """Return the message of the user that brings the files of a turn's results, if it must."""
    if quirks.get("tool_files") == "inline":
        return []
    parts = [part for result in results for part in _shown_by(result)]
    return [{"role": "user", "content": _chat_parts(parts, quirks)}] if parts else []


def responses_content(message: Message) -> list[Json]:
    """Return the content of a user's message in the Responses wire."""
    return _input_parts(message.parts)


def responses_output(result: ToolResult, quirks: Mapping[str, Any]) -> str | list[Json]:
    """Return the output of a call in the Responses wire."""
    if quirks.get("tool_files") == "user":
        return result.output
    return _input_parts([Text(result.output), *result.files])


def responses_follow(results: Iterable[ToolResult], quirks: Mapping[str, Any]) -> list[Json]:
    """Return the message of the user that brings the files of a turn's results, if it must."""
    if quirks.get("tool_files") != "user":
        return []
    parts = [part for result in results for part in _shown_by(result)]
    return [{"type": "message", "role": "user", "content": _input_parts(parts)}]


def gemini_part(file: File) -> Json:
    """Return the part of a file in the Gemini wire."""
    return {"inlineData": {"mimeType": file.media_type, "data": _base64(file)}}


def gemini_within(result: ToolResult, model: str) -> list[Json]:
    """Return the files that lie within a `functionResponse`: none for the older models."""
    return [] if re.search(BESIDE_MODELS, model) else [*map(gemini_part, result.files)]


def gemini_beside(results: Iterable[ToolResult], model: str) -> list[Json]:
    """Return the parts that follow the results of a turn for the older models."""
    if not re.search(BESIDE_MODELS, model):
        return []
    shown = [part for result in results for part in _shown_by(result)]
    return [{"text": one.text} if isinstance(one, Text) else gemini_part(one) for one in shown]


def _shown_by(result: ToolResult) -> list[Text | File]:
    """Return the files of a result that cannot hold them, and whose they are."""
    shown: list[Text | File] = []
    for file in result.files:
        shown += [Text(f"{file.name}, which the call of {result.name} above has shown:"), file]
    return shown


def _chat_parts(parts: Iterable[Part], quirks: Mapping[str, Any]) -> list[Json]:
    return [
        _chat_part(part, quirks) if isinstance(part, File) else {"type": "text", "text": part.text}
        for part in _sent(parts)
    ]


def _input_parts(parts: Iterable[Part]) -> list[Json]:
    return [
        _input_part(part) if isinstance(part, File) else {"type": "input_text", "text": part.text}
        for part in _sent(parts)
    ]


def _sent(parts: Iterable[Part]) -> list[File | Text]:
    """Return what is worth sending: a server may refuse an empty text."""
    return [
        part
        for part in parts
        if isinstance(part, File) or (isinstance(part, Text) and part.text.strip())
    ]


def _chat_part(file: File, quirks: Mapping[str, Any]) -> Json:
    if file.is_image:
        return {"type": "image_url", "image_url": {"url": _data_url(file)}}
    if quirks.get("document_url"):
        return {"type": "document_url", "document_url": _data_url(file)}
    return {"type": "file", "file": {"filename": file.name, "file_data": _data_url(file)}}


def _input_part(file: File) -> Json:
    if file.is_image:
        return {"type": "input_image", "image_url": _data_url(file)}
    return {"type": "input_file", "filename": file.name, "file_data": _data_url(file)}


def _data_url(file: File) -> str:
    return f"data:{file.media_type};base64,{_base64(file)}"


def _base64(file: File) -> str:
    return b2a_base64(file.content, newline=False).decode()
