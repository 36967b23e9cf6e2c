"""Nothing in an answer's HTML can act on the page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.web.sanitising import TAGS, sanitise, web_address


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


@pytest.mark.parametrize(
    ("html", "safe"),
    [
        ("<script>alert(1)</script>x", "x"),
        ("<style>p{}</style>x", "x"),
        ('<img src=x onerror="alert(1)">x', "x"),
        ("<p onclick=alert(1) style=color:red class=a id=b>x</p>", "<p>x</p>"),
        ("<svg><script>alert(1)</script></svg>x", "x"),
        ("<iframe src=//e.example></iframe>x", "x"),
        ("<form action=//e.example><input></form>x", "x"),
        ("<h2>x</h2>", "x"),
        ("<pre><code>a &lt; b</code></pre>", "<pre><code>a &lt; b</code></pre>"),
        ("<ul><li>x</li></ul>", "<ul><li>x</li></ul>"),
        ("<p>x<!-- y --></p>", "<p>x</p>"),
    ],
)
def test_only_plain_text_structure_stays(html: str, safe: str) -> None:
    assert sanitise(html) == safe


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:x", "java\nscript:x",
     "data:text/html,x",
     "vbscript:x", "//e.example/x", "/x", "x", "#x", "mailto:a@e.example"],
)  # fmt: skip
def test_a_link_to_anything_but_the_web_loses_its_address(href: str) -> None:
    assert "href" not in sanitise(f'<a href="{href}">x</a>')


def test_a_link_to_the_web_opens_apart_and_is_not_endorsed() -> None:
    assert sanitise('<a href="https://e.example/?a=1">x</a>') == (
        '<a href="https://e.example/?a=1" target="_blank" rel="noopener nofollow">x</a>'
    )


PIECES = st.sampled_from(
    ["<p>", "</p>", "<a href='javascript:x'>", "<script>", "</script>", "<img onerror=x src=y>",
     "<svg/onload=x>", "<math>", "<!--", "-->", "<style>", "</style>", "<![CDATA[",
     "&lt;script&gt;",
     "<noscript>", "<template>", "<a href=https://e.example onmouseover=x>", "\0", "<code", ">"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=10), max_size=12).map("".join))
def test_whatever_comes_in_only_allowed_tags_and_attributes_come_out(html: str) -> None:
    seen = Seen(sanitise(html))
    assert seen.tags <= TAGS
    for tag, name, value in seen.attributes:
        assert (tag, name) in {("a", "href"), ("a", "target"), ("a", "rel")}
        if name == "href":
            assert (value or "").startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("url", "kept"),
    [("https://e.example", True), ("http://e.example", True), ("javascript:x", False),
     ("//e.example", False), (" https://e.example", False), ("", False), (None, False)],
)  # fmt: skip
def test_only_web_addresses_are_kept(url: str | None, kept: bool) -> None:
    assert web_address(url) == (url if kept else None)
