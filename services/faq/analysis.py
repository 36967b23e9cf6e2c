"""One text, cleaned and cut into terms: what every later step reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.faq import tokens
from services.faq.encoder import sentence_of
from services.faq.terms import Cut, Terms, hashed_all
from services.faq.text import CleanText, clean_posted


def terms_of_posted(text: str) -> Terms:
    """Cut a posted question into terms. Safe for any `str`."""
    return terms_of(clean_posted(text))


def terms_of_all_posted(texts: Sequence[str]) -> list[Terms]:
    """Cut posted questions into terms, as `terms_of_posted` does each. Safe for any `str`."""
    return terms_of_all([clean_posted(text) for text in texts])


def terms_of(clean: CleanText) -> Terms:
    """Cut a clean text into terms."""
    return terms_of_all([clean])[0]


def terms_of_all(texts: Sequence[CleanText]) -> list[Terms]:
    """Cut clean texts into terms, which is less work together than one by one."""
    pairs = zip(hashed_all([cut(text) for text in texts]), texts, strict=True)
    return [replace(terms, sentence=sentence_of(text)) for terms, text in pairs]


def cut(clean: CleanText) -> Cut:
    """Cut a clean text into strings."""
    body = tokens.words(clean.prose)
    prose = f"{clean.title} {clean.prose}"
    return Cut(
        words=(*cut_title(clean).words, *body, *tokens.pairs(body)),
        characters=tokens.characters(prose),
        code=tokens.code_terms(prose, clean.code),
    )


def cut_title(clean: CleanText) -> Cut:
    """Cut the words of the title alone."""
    title = tokens.words(clean.title)
    return Cut(words=(*title, *tokens.pairs(title)), characters="", code=())
