"""What a provider says of itself, and its keys: fetched when needed, kept for a while.

Nothing is fetched at the start: the page starts, and serves those who are signed in, while the
provider is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Generic, TypeVar, cast

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import AfterValidator, BaseModel, ValidationError

from services.web.addresses import secure_address
from services.web.places import NoPlace, Places
from services.web.sign_in.provider_http import (
    REQUESTS_AT_ONCE,
    TOTAL_SECONDS,
    ProviderBusy,
    ProviderFailed,
    ProviderHttp,
)

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
"""Signatures by a key that the provider alone has; never `none`, never a shared secret."""
KEEP_SECONDS = 3600.0
FAILED_SECONDS = 3.0
"""After a failure nobody asks again for so long, and everybody is told at once."""
MOST_KEYS = 64

T = TypeVar("T")

Endpoint = Annotated[str, AfterValidator(secure_address)]


class Metadata(BaseModel):
    """Discovery 1.0, section 3: the part that is used."""

    issuer: str
    authorization_endpoint: Endpoint
    token_endpoint: Endpoint
    jwks_uri: Endpoint
    end_session_endpoint: Endpoint | None = None
    id_token_signing_alg_values_supported: list[str] = ["RS256"]
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = False

    @property
    def algorithms(self) -> list[str]:
        """Which of the signatures that are taken here the provider makes."""
        return sorted(ALGORITHMS.intersection(self.id_token_signing_alg_values_supported))


class Provider:
    """An OpenID Connect provider; used by many threads.

    Args:
        issuer: its name, which discovery and every token must repeat.
        http: the connection to it.
        key_refresh_seconds: shortest time between two requests for its keys.
    """

    def __init__(self, issuer: str, http: ProviderHttp, key_refresh_seconds: float) -> None:
        self.issuer = issuer
        self._http = http
        self._key_refresh_seconds = key_refresh_seconds
        self._metadata = _Kept(self._discover)
        self._keys = _Kept(self._fetch_keys)

    def metadata(self) -> Metadata:
        """What it says of itself.

        Raises:
            ProviderFailed: it cannot be asked, or what it says is not usable.
        """
        return self._metadata.get(KEEP_SECONDS)

    def keys(self) -> KeySet:
        """The keys with which it signs; ProviderFailed likewise."""
        return self._keys.get(KEEP_SECONDS)

    def newer_keys(self) -> KeySet:
        """The same, for a token that none of the kept ones fits.

        They are fetched again, but not more often than every ``key_refresh_seconds``: tokens with
        invented key ids must not become a flood of requests.
        """
        return self._keys.get(self._key_refresh_seconds)

    def _discover(self) -> Metadata:
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            metadata = Metadata.model_validate(self._http.get(url))
        except ValidationError:
            raise ProviderFailed("unusable discovery") from None
        if metadata.issuer != self.issuer:
            raise ProviderFailed("discovery of another issuer")
        if not metadata.algorithms:
            raise ProviderFailed("no signature that is taken here")
        return metadata

    def _fetch_keys(self) -> KeySet:
        document = self._http.get(self.metadata().jwks_uri)
        keys = document.get("keys")
        if not isinstance(keys, list) or len(cast("list[object]", keys)) > MOST_KEYS:
            raise ProviderFailed("unusable keys")
        usable = [key for key in cast("list[object]", keys) if _signs(key)]
        try:
            return KeySet.import_key_set(cast("Any", {"keys": usable}))
        except (JoseError, ValueError, TypeError, KeyError):
            raise ProviderFailed("unusable keys") from None


def _signs(key: object) -> bool:
    """Whether a key is a public one for signatures; others in the set are none of ours."""
    if not isinstance(key, Mapping):
        return False
    fields = cast("Mapping[str, object]", key)
    return fields.get("kty") in ("RSA", "EC") and fields.get("use", "sig") == "sig"


class _Kept(Generic[T]):
    """Something that is fetched, by one thread at a time, and kept.

    Those who wait for it are no more than may talk to the provider: while it hangs, the other
    threads serve the page.
    """

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._places = Places(REQUESTS_AT_ONCE)
        self._lock = threading.Lock()
        self._value: T | None = None
        self._fetched = 0.0
        self._failed = -FAILED_SECONDS
        self._failure = ""

    def get(self, most_seconds: float) -> T:
        """The value, not older than that."""
        if (value := self._fresh(most_seconds)) is not None:
            return value
        try:
            with self._places.one():
                return self._wait(most_seconds)
        except NoPlace:
            raise ProviderBusy from None

    def _wait(self, most_seconds: float) -> T:
        if not self._lock.acquire(timeout=TOTAL_SECONDS):
            raise ProviderFailed("timeout")
        try:
            if (value := self._fresh(most_seconds)) is not None:
                return value
            if time.monotonic() - self._failed < FAILED_SECONDS:
                raise ProviderFailed(self._failure)
            return self._renew()
        finally:
            self._lock.release()

    def _fresh(self, most_seconds: float) -> T | None:
        value = self._value
        return value if time.monotonic() - self._fetched < most_seconds else None

    def _renew(self) -> T:
        try:
            value = self._fetch()
        except ProviderBusy:
            raise
        except ProviderFailed as failure:
            self._failed, self._failure = time.monotonic(), str(failure)
            raise
        self._value, self._fetched = value, time.monotonic()
        return value
