"""A look at what has come that keeps nothing of it.

It tells a whole, ordinary request from all else, which is most of what a service at capacity has to
refuse: what a connection knows and does otherwise would cost three times the refusal.
"""

from __future__ import annotations

import httptools


class Glance:
    """Reads requests that are there as a whole; used by all connections, one after the other."""

    def __init__(self) -> None:
        self._begin()

    def target_of(self, data: bytes | memoryview) -> bytes | None:
        """The target of the POST that ``data`` is, if it is one whole request and no more.

        None for all else: for what only a connection can go on with, or has to look at closely.
        """
        self._target = b""
        self._has_begun = self._is_alone = self._is_whole = False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._begin()
            return None
        if self._is_whole and self._is_alone:
            return self._target
        self._begin()
        return None

    def _begin(self) -> None:
        self._parser = httptools.HttpRequestParser(self)

    # The callbacks of httptools

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_alone = not self._has_begun
        self._has_begun = True

    def on_url(self, url: bytes) -> None:
        """A part of its target."""
        self._target += url

    def on_message_complete(self) -> None:
        """All of it is there."""
        parser = self._parser
        self._is_whole = (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
        )
