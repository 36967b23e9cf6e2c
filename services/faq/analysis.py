"""One text, cleaned and cut into terms: what every later step reads."""

from __future__ import annotations

from dataclasses import dataclass

from services.faq import tokens
from services.faq.text import CleanText, clean_posted


@dataclass(frozen=True)
class Terms:
    """The terms of one text, in order and with repetitions."""

    words: tuple[str, ...]
    """Stems of title and prose, then each pair of neighbours."""
    title: tuple[str, ...]
    """The part of `words` that comes from the title."""
    characters: tuple[str, ...]
    """Character n-grams of title and prose."""
    code: tuple[str, ...]
    """Identifiers and operators of the code, and of the prose where it looks like code."""


def terms_of_posted(text: str) -> Terms:
    """Cut a posted question into terms. Safe for any `str`."""
    return terms_of(clean_posted(text))


def terms_of(clean: CleanText) -> Terms:
    """Cut a clean text into terms."""
    title = tokens.words(clean.title)
    body = tokens.words(clean.prose)
    title_terms = (*title, *tokens.pairs(title))
    prose = f"{clean.title} {clean.prose}"
    return Terms(
        words=(*title_terms, *body, *tokens.pairs(body)),
        title=title_terms,
        characters=tuple(tokens.character_grams(prose)),
        code=tuple(tokens.code_terms(prose, clean.code)),
    )
