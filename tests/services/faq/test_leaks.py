"""Nothing that names a duplicate's original is left in it, and nothing else is taken away."""

from __future__ import annotations

import pytest

from services.faq.data import read_data
from services.faq.text import clean_posted, clean_stored
from tests.services.faq.conftest import WriteData

MINE = "<p>My own words.</p>"
OWN = "https://stackoverflow.com/questions/1/secret-title"


@pytest.mark.parametrize(
    "body",
    [
        # As Stack Overflow wrote it until 2014.
        f'<blockquote>\n  <p><strong>Possible Duplicate:</strong><br>\n  <a href="{OWN}">Secret title'
        f"</a>  </p>\n</blockquote>\n\n{MINE}",
        f'<blockquote><p><strong>Possible Duplicates:</strong><br><a href="{OWN}">Secret title</a><br>'
        f'<a href="/q/9">Secret second</a></p></blockquote>{MINE}',
        f"<p><em>Exact Duplicate:</em> <a href='/q/1'>Secret title</a></p>{MINE}",
        f"{MINE}<p>This is an exact duplicate of <a href='/q/1'>Secret title</a></p>",
        # As its pages show it since.
        f"<aside><div>This question already has answers here:</div><div><a href='/q/1'>Secret title"
        f"</a> <span>(5 answers)</span></div><div>Closed <span>2 years ago</span>.</div></aside>{MINE}",
        f"<p>Marked as a duplicate by some, body <a href='/q/1'>Secret title</a></p>{MINE}",
        f"<p>closed as exact duplicate of <a href='/q/1'>Secret title</a></p>{MINE}",
        f"<blockquote><p><strong>Posible duplicado:</strong> <a>Secret title</a></p></blockquote>{MINE}",
    ],
)
def test_a_notice_is_stripped_with_the_titles_it_names(body: str) -> None:
    stored = clean_stored(f"Mine. {body}")
    assert (stored.title, stored.prose) == ("Mine", "My own words.")
    assert clean_posted(f"Mine. {body}").prose == "Mine. My own words."


@pytest.mark.parametrize(
    "text",
    [
        "> **Possible Duplicate:**  \n> [Secret title? Or not](https://a.b/q/1)\n\nMy own words.",
        "> **Possible Duplicates:**\n> [Secret one](/q/1)\n> [Secret two](/q/2)\n\nMy own words.",
        "Possible duplicate of Secret title. My own words.",
    ],
)
def test_a_notice_in_markdown_is_stripped(text: str) -> None:
    assert clean_posted(text).prose == "My own words."


@pytest.mark.parametrize("status", ["duplicate", "closed", "on hold", "Duplicate", "duplicado"])
def test_a_status_at_the_end_of_a_title_is_stripped(status: str) -> None:
    assert clean_stored(f"My title [{status}]. {MINE}").title == "My title"
    assert clean_posted(f"My title [{status}]. {MINE}").prose == "My title. My own words."
    assert clean_posted(f"My title [{status}]\nMy words").prose == "My title My words"


@pytest.mark.parametrize(
    "text",
    [
        "How can I make an exact duplicate of an object?",
        "Is a possible duplicate of a key an error? My map has one.",
        "style dialog[closed] but not [open]",
        "What does [closed] mean in this selector?",
        "Remove the possible duplicates from a list: how?",
        "The question already has answers in my database",
        "see https://stackoverflow.com/questions/1/other-title for what I tried",
    ],
)
def test_a_question_about_duplicates_is_left_alone(text: str) -> None:
    assert clean_posted(text).prose == text
    assert clean_posted(f"<p>{text}</p>").prose == text


@pytest.mark.parametrize(
    "link",
    [
        f'<a href="{OWN}">secret title</a>',
        '<a href="/questions/1">secret title</a>',
        '<a href="http://stackoverflow.com/q/1/77">secret <b>title</b></a>',
        '<a href="http://stackoverflow.com/a/11">secret title</a>',
        '<a href="https://stackoverflow.com/questions/9/x/11#11">secret title</a>',
        OWN,
    ],
)
def test_a_link_to_the_own_original_is_stripped_with_its_text(
    write_data: WriteData, link: str
) -> None:
    body = f"<p>I saw {link} but.</p><pre><code>// {OWN}</code></pre>"
    data = read_data(write_data(duplicates=[(101, 11, f"Mine. {body}", "")]))
    assert data.duplicates[0].text.prose == "Mine. I saw but."
    assert "secret" not in data.duplicates[0].text.code


def test_a_markdown_link_to_the_own_original_is_stripped() -> None:
    text = f"I saw [secret title]({OWN}) and [another](https://stackoverflow.com/q/2) and {OWN}."
    shown = clean_posted(text, links_to=(1, 11)).prose
    assert "secret" not in shown
    assert "another" in shown


def test_links_to_other_questions_keep_their_text(write_data: WriteData) -> None:
    body = "<p>I saw <a href='https://stackoverflow.com/q/2'>another</a>.</p>"
    data = read_data(write_data(duplicates=[(101, 11, f"Mine. {body}", "")]))
    assert data.duplicates[0].text.prose == "Mine. I saw another."


def test_without_stripping_everything_is_left(write_data: WriteData) -> None:
    body = f'<p>Possible Duplicate: <a href="{OWN}">secret title</a></p>'
    folder = write_data(duplicates=[(101, 11, f"Mine [duplicate]. {body}", "")])
    kept = read_data(folder, strip=False).duplicates[0]
    assert kept.text.prose == "Mine [duplicate]. Possible Duplicate: secret title"
    assert kept.title.prose == "Mine [duplicate]"
    assert read_data(folder).duplicates[0].text.prose == "Mine."


@pytest.mark.parametrize("piece", ["[", "! ", "possible duplicate: ", "/q/1", "](", "> ", "[a](b "])
@pytest.mark.timeout(20)
def test_no_text_takes_long_to_clean(piece: str) -> None:
    """Patterns that go back and forth would take minutes."""
    clean_posted(piece * 8192, links_to=(1,))
