"""Sign-ins that have begun: what the answer of the provider must fit, once and for a while."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

LONGEST_SECONDS = 600.0
"""For a person to sign in at the provider, a second factor included."""
MOST = 10_000


@dataclass(frozen=True)
class PendingSignIn:
    """One sign-in under way.

    Attributes:
        state: names it; comes back with the answer.
        nonce: must stand in the ID token.
        code_verifier: proves that who began is who ends (RFC 7636).
        browser: the number in the cookie of the browser that began.
        began: when, by the monotonic clock.
    """

    browser: str = field(repr=False)
    began: float
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


class PendingSignIns:
    """All sign-ins under way, bounded in number and in time; used by many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: OrderedDict[str, PendingSignIn] = OrderedDict()

    def begin(self, browser: str) -> PendingSignIn:
        """A new sign-in of the browser whose cookie holds this number."""
        pending = PendingSignIn(browser, self._clock())
        with self._lock:
            while self._pending:
                oldest = next(iter(self._pending.values()))
                if len(self._pending) < MOST and not self._is_over(oldest):
                    break
                del self._pending[oldest.state]
            self._pending[pending.state] = pending
        return pending

    def take(self, state: str, browser: str) -> PendingSignIn | None:
        """The sign-in with this state, which nobody gets again; None if there is none.

        Another browser's answer takes it, too: a state that has been shown around is spent.
        """
        with self._lock:
            pending = self._pending.pop(state, None)
        if pending is None or self._is_over(pending):
            return None
        same = hmac.compare_digest(pending.browser.encode(), browser.encode("utf-8", "replace"))
        return pending if same else None

    def _is_over(self, pending: PendingSignIn) -> bool:
        return self._clock() - pending.began >= LONGEST_SECONDS
