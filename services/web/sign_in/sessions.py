"""Sessions on the server: who is signed in, known to the browser by a random number alone.

They live in the memory of one process. With several pods the gateway sends a browser always to the
same one; a session that is lost with its pod costs a redirect to the provider, which still knows
the person (docs/decisions/0020-sessions-in-memory-behind-an-affinity.md).
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

SESSIONS_OF_ONE_PERSON = 10
"""More than anybody has browsers: one account must not push the others' sessions out."""


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in.

    Attributes:
        subject: the provider's name for the account.
        name: as people know them; for the screen only.
        id_token: the provider wants it back at sign-out; empty where it is too long for that.
        began: when, by the monotonic clock.
        csrf_token: what the page's own requests carry, and other pages cannot know.
        reference: names the session in logs; neither the person nor the cookie follow from it.
    """

    subject: str
    name: str
    id_token: str = field(repr=False)
    began: float
    csrf_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    reference: str = field(default_factory=lambda: secrets.token_hex(4))


@dataclass
class _Kept:
    session: Session
    used: float


class Sessions:
    """All sessions of this process, bounded in number and in time; used by many threads.

    Args:
        most: how many there may be; one more ends the one that was not used for the longest.
        idle_seconds: how long one may be unused.
        total_seconds: how long one may last.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        most: int,
        idle_seconds: float,
        total_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._idle_seconds = idle_seconds
        self._total_seconds = total_seconds
        self._clock = clock
        self._lock = threading.Lock()
        # By the hash of the number, the longest unused first: what is compared with what a
        # stranger sent is never the number itself.
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._of_subject: dict[str, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def begin(self, subject: str, name: str, id_token: str) -> str:
        """Begin a session; the number by which its browser will know it."""
        number = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._drop_unused(now)
            own = self._of_subject.setdefault(subject, [])
            while len(own) >= SESSIONS_OF_ONE_PERSON:
                self._drop(own[0])
            while len(self._kept) >= self._most:
                self._drop(next(iter(self._kept)))
            key = _hash(number)
            self._kept[key] = _Kept(Session(subject, name, id_token, now), now)
            self._of_subject.setdefault(subject, []).append(key)
        return number

    def find(self, number: str) -> Session | None:
        """The session of a number, which is used now; None where there is none, or no longer."""
        key, now = _hash(number), self._clock()
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            if self._is_over(kept, now):
                self._drop(key)
                return None
            kept.used = now
            self._kept.move_to_end(key)
            return kept.session

    def end(self, number: str) -> None:
        """End the session of a number, if there is one."""
        with self._lock:
            self._drop(_hash(number))

    def _is_over(self, kept: _Kept, now: float) -> bool:
        unused = now - kept.used
        return unused >= self._idle_seconds or now - kept.session.began >= self._total_seconds

    def _drop_unused(self, now: float) -> None:
        while self._kept:
            key, kept = next(iter(self._kept.items()))
            if not self._is_over(kept, now):
                return
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        own = self._of_subject[kept.session.subject]
        own.remove(key)
        if not own:
            del self._of_subject[kept.session.subject]


def _hash(number: str) -> bytes:
    return hashlib.sha256(number.encode("utf-8", "surrogateescape")).digest()
