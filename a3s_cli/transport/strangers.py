"""Asks a gRPC server something without credentials: does it answer a stranger?

Whether a server demands a token cannot be read off its address or our own settings; only the
server knows. One call of HTTP/2 by hand is enough, and needs neither a library nor a secret.
"""

from __future__ import annotations

import socket

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: Frames: their kinds, and what their flags say.
_DATA, _HEADERS, _RESET, _SETTINGS = 0, 1, 3, 4
_ENDS_STREAM, _ENDS_HEADERS = 1, 4
#: `:method: POST` and `:scheme: http`, by their places in the table that HTTP/2 begins with.
_POST_HTTP = b"\x83\x86"
#: A message of no bytes, as gRPC frames it.
_EMPTY = bytes(5)
#: Bytes of a frame, unless more was agreed, and frames that an answer may have.
_LARGEST, _MOST = 16384, 64


def answers_strangers(host: str, port: int, method: str, patience: float) -> bool:
    """Call a method with an empty message, and tell whether a message came back.

    Raises OSError where nothing answers within so many seconds, or where it is not gRPC.
    """
    with socket.create_connection((host, port), patience) as connection:
        connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0) + _call(f"{host}:{port}", method))
        with connection.makefile("rb") as answer:
            for _ in range(_MOST):
                head = answer.read(9)
                size, stream = int.from_bytes(head[:3]), int.from_bytes(head[5:])
                if len(head) < 9 or size > _LARGEST:
                    break
                body, kind, flags = answer.read(size), head[3], head[4]
                if stream == 1 and kind == _DATA and body:
                    return True
                if stream == 1 and (kind == _RESET or flags & _ENDS_STREAM):
                    return False
    raise OSError("its answer is not gRPC")


def _call(authority: str, method: str) -> bytes:
    fields = {
        ":path": method,
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
    }
    block = _POST_HTTP + b"".join(
        b"\0" + _text(name) + _text(value) for name, value in fields.items()
    )
    return _frame(_HEADERS, _ENDS_HEADERS, 1, block) + _frame(_DATA, _ENDS_STREAM, 1, _EMPTY)


def _text(value: str) -> bytes:
    data = value.encode()
    if len(data) > 126:  # what one byte can say
        raise OSError("the name of its host is too long")
    return bytes([len(data)]) + data


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload
