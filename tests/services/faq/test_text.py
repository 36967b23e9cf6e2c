"""Cleaning keeps what was asked, apart from code, and strips what gives the answer away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq.stored_text import split_stored
from services.faq.text import ANALYSED_CHARACTERS, clean_posted, clean_stored


def test_a_stored_text_is_a_title_and_an_html_body() -> None:
    clean = clean_stored(
        "How do I sort?. <p>I have <code>list</code> &amp; want <a href='u'>order</a>.</p>"
        "<pre><code>a.sort();&#10;b &lt; c</code></pre>"
    )
    assert clean.title == "How do I sort?"
    assert clean.prose == "I have list & want order."
    assert clean.code == "list a.sort();\nb < c"


def test_a_stored_plain_text_is_all_title() -> None:
    clean = clean_stored("Where is my card? It is late.")
    assert (clean.title, clean.prose) == ("Where is my card? It is late.", "")


def test_greater_and_less_than_in_a_plain_question_are_not_markup() -> None:
    assert clean_posted("is a<b && c>d true?").prose == "is a<b && c>d true?"
    assert (
        clean_posted("how to write <div id='x'> in js").prose == "how to write <div id='x'> in js"
    )


def test_entities_are_decoded_without_markup_too() -> None:
    assert clean_posted("a &lt; b &amp;&amp; c &#8220;quoted&#8221;").prose == "a < b && c “quoted”"


def test_markdown_code_is_code() -> None:
    clean = clean_posted("why does `map` fail?\n```js\nxs.map(f)\n```\nthanks")
    assert clean.prose == "why does map fail? thanks"
    assert clean.code.split() == ["xs.map(f)", "map"]


def test_links_keep_their_own_text_only() -> None:
    html = '<p>see <a href="http://a/1">one</a> and <a href="http://a/2">two</a> ok</p>'
    assert clean_posted(html).prose == "see one and two ok"


@pytest.mark.parametrize(
    "body",
    [
        "<blockquote><p><strong>Possible Duplicate:</strong><br><a href='u'>Secret title</a></p>"
        "</blockquote><p>My words.</p>",
        "<p><strong>Possible Duplicates:</strong><br><a>Secret title</a><br><a>Secret two</a></p>"
        "<p>My words.</p>",
        "<blockquote><p>Possible Duplicate:</p><p>Secret title, not a link</p></blockquote>"
        "<p>My words.</p>",
        "<p>My words.</p><p>Exact duplicate of: <a>Secret title</a></p>",
        "<div>This question already has an answer here:</div><ul><li><a>Secret title</a></li></ul>"
        "<p>My words.</p>",
    ],
)
def test_a_notice_that_names_the_original_is_stripped(body: str) -> None:
    assert clean_stored(f"T. {body}").prose == "My words."


@pytest.mark.parametrize(
    "text",
    [
        "Possible Duplicate: Secret title? My words.",
        "possible duplicate:\nSecret title\nMy words.",
        "My words. Possible duplicate: Secret title",
    ],
)
def test_a_notice_in_plain_text_is_stripped(text: str) -> None:
    assert clean_posted(text).prose == "My words."


def test_asking_about_duplicate_values_is_not_a_notice() -> None:
    text = "How do I remove duplicates and possible duplicated values?"
    assert clean_posted(text).prose == text


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert clean_posted("cafe\u0301").prose == clean_posted("caf\u00e9").prose


def test_control_characters_and_surrogates_are_stripped() -> None:
    assert clean_posted("a\x00b\x1b\ud800c\u0085d").prose == "a b c d"


def test_only_the_first_characters_are_analysed() -> None:
    start = "word " * (ANALYSED_CHARACTERS // 5)
    assert clean_posted(start + "x" * 60_000).prose == clean_posted(start + "xx").prose


def test_unclosed_markup_at_the_cut_is_not_lost_or_fatal() -> None:
    assert clean_stored("T. <p>one</p><p>two <code>x = 1").prose == "one two x = 1"


def test_splitting_keeps_the_html_as_it_is() -> None:
    assert split_stored("Why?. <p>a. <b>b</b></p>") == ("Why?", "<p>a. <b>b</b></p>")


@given(st.text(st.characters(), max_size=400) | st.text("<>/&;#`pcode. \n", max_size=400))
def test_any_text_can_be_cleaned(text: str) -> None:
    for clean in (clean_posted(text), clean_stored(text)):
        (clean.title + clean.prose + clean.code).encode()
        assert "\x00" not in clean.prose
        assert clean.prose == " ".join(clean.prose.split())
