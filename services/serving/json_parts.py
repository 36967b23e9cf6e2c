"""How many parts a JSON document has at least, counted before it is read.

Each list, object and member of an object becomes a Python object of its own, all of them while no other
thread can run: three bytes of a body may cost a hundred bytes of memory.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Final

import orjson

_PIECE_BYTES: Final = 1 << 17


def more_parts_than(limit: float, body: bytes) -> bool:
    """Whether a document has more elements and members than ``limit``, as far as brackets and colons tell.

    Takes time in proportion to the body, whatever is in it. Of a body that is no document, what is in
    front of its first fault is counted.
    """
    if _parts(_brackets(body), body.count(b":")) <= limit:
        return False
    brackets = colons = 0
    for outside in _outside_texts(body):
        brackets += _brackets(outside)
        colons += outside.count(b":")
        if _parts(brackets, colons) > limit:
            return True
    return False


def read_json(body: bytes) -> object:
    """The document in ``body``, read without a collection of cyclic garbage, of which it has none.

    With a million lists, collections would take several times as long as the reading itself.

    Raises:
        orjson.JSONDecodeError: it is none.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        return orjson.loads(body)
    finally:
        if is_collecting:
            gc.enable()


def _brackets(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _parts(brackets: int, colons: int) -> int:
    """Lists and objects but the outermost one, or members, whichever are more."""
    return max(brackets - 1, colons)


def _outside_texts(body: bytes) -> Iterator[bytes]:
    """Yield what is not in texts, a piece of the body at a time: a body may be all empty texts."""
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    is_text = 0
    for start in range(0, len(unescaped), _PIECE_BYTES):
        pieces = unescaped[start : start + _PIECE_BYTES].split(b'"')
        yield b"".join(pieces[is_text::2])
        is_text = (is_text + len(pieces) - 1) % 2
