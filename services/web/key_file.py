"""The file that holds the API key with which a scoring service is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

KEY = re.compile(rb"\s*([!-~]{1,512})\s*")
MOST_BYTES = 1024


class KeyUnreadable(Exception):
    """There is no usable key; the message names the file, never what is in it."""


@dataclass(frozen=True)
class KeyFile:
    """A file with one key, read for every request so that a new key needs no restart."""

    path: Path

    def read(self) -> str:
        """The key.

        Raises:
            KeyUnreadable: the file cannot be read, or holds anything but one key.
        """
        try:
            with self.path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise KeyUnreadable(f"{self.path}: {error.strerror}") from None
        found = KEY.fullmatch(content)
        if found is None or len(content) > MOST_BYTES:
            raise KeyUnreadable(f"{self.path}: must hold one API key and nothing else")
        return found[1].decode("ascii")
