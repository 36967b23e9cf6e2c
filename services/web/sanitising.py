"""Making the HTML of answers safe to show."""

from __future__ import annotations

import nh3

TAGS = {"p", "pre", "code", "ul", "ol", "li", "a", "em", "strong", "blockquote", "br"}

_cleaner = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags={"script", "style"},
    attributes={"a": {"href"}},
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel="noopener nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def sanitise(html: str) -> str:
    """``html`` with nothing but the tags in :data:`TAGS` and links to http(s) addresses.

    Other tags go and their text stays, except that of scripts and style sheets.
    """
    return _cleaner.clean(html)


def web_address(url: str | None) -> str | None:
    """``url`` if it is an http(s) address, else None."""
    return url if url is not None and url.startswith(("https://", "http://")) else None
