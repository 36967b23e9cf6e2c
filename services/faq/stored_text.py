"""How a question is stored in one line of the data: `Text0`, title + ". " + HTML body.

A line can hold neither tabs nor newlines. Inside `<pre>`, where they matter, they become the
entities `&#9;` and `&#10;`, which every HTML parser turns back; elsewhere white space becomes one
space, which HTML does not tell apart.
"""

from __future__ import annotations

import re
from typing import Final

_PRE: Final = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL | re.IGNORECASE)
_SPACE: Final = re.compile(r"\s+")
_BODY_START: Final = ". <"
"""Where the title ends: a body is HTML, so it begins with a tag."""


def text0(title: str, body: str) -> str:
    """Join a title, plain text, and an HTML body, which may be empty; the result is one line.

    What `split_stored` gives back is the title and the body again, apart from white space.
    """
    title = " ".join(title.split()).replace(_BODY_START, ".<")
    body = one_line(body)
    if not body:
        return title
    return f"{title}. {body if body.startswith('<') else f'<p>{body}</p>'}"


def one_line(html: str) -> str:
    """Return the HTML without tabs and newlines; it shows the same."""
    pieces = _PRE.split(html.strip())
    for number, piece in enumerate(pieces):
        if number % 2:
            code = piece.replace("\r\n", "\n").replace("\r", "\n")
            pieces[number] = code.replace("\t", "&#9;").replace("\n", "&#10;")
        else:
            pieces[number] = _SPACE.sub(" ", piece)
    return "".join(pieces)


def split_stored(stored: str) -> tuple[str, str]:
    """Split a stored text into its title, plain text, and its HTML body, which may be empty."""
    title, _, body = stored.partition(_BODY_START)
    return (title, "<" + body) if body else (stored, "")
