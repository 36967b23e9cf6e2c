"""The authorisation-code flow with PKCE, between this server and the provider."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from services.web.sign_in.id_token import IdTokenReader, Person, TokenRefused
from services.web.sign_in.pending import PendingSignIn
from services.web.sign_in.provider import Metadata, Provider
from services.web.sign_in.provider_http import ProviderFailed, ProviderHttp
from services.web.sign_in.settings import SignInSettings

CALLBACK = "/auth/callback"
SIGNED_OUT = "/auth/signed-out"
LONGEST_SECRET = 16 << 10
LONGEST_HINT = 4000
"""Of an ID token in an address: browsers and proxies end longer ones somewhere beyond."""
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KNOWN_ERRORS = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
        "unsupported_grant_type", "invalid_scope",
    }
)  # fmt: skip
"""RFC 6749, section 5.2; anything else is the provider's own text, and stays out of the log."""

log = logging.getLogger("sign-in")


class CodeRefused(Exception):
    """The provider gives no tokens for a code; the message is a word for the log."""


@dataclass(frozen=True)
class SignedIn:
    """The end of a sign-in: a person, and the token to bring back at sign-out."""

    person: Person
    id_token: str


class Authorisation:
    """Asks a provider who somebody is."""

    def __init__(self, settings: SignInSettings, http: ProviderHttp, provider: Provider) -> None:
        self._settings = settings
        self._http = http
        self.provider = provider
        self._reader = IdTokenReader(
            provider,
            settings.sign_in_client_id,
            settings.clock_skew_seconds,
            settings.sign_in_groups_claim,
        )

    def request_url(self, pending: PendingSignIn, *, another_account: bool) -> str:
        """Where the browser goes to sign in.

        Args:
            another_account: have the provider ask, even if it knows who is there.

        Raises:
            ProviderFailed: the provider cannot be asked where that is.
        """
        return prepare_grant_uri(
            self.provider.metadata().authorization_endpoint,
            client_id=self._settings.sign_in_client_id,
            response_type="code",
            redirect_uri=self._settings.public_url + CALLBACK,
            scope=self._settings.sign_in_scopes,
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.code_verifier),
            code_challenge_method="S256",
            prompt="login" if another_account else None,
        )

    def is_from_the_provider(self, issuer: str | None) -> bool:
        """Whether an answer with this parameter ``iss`` is the provider's own (RFC 9207)."""
        if issuer is None:
            return not self.provider.metadata().authorization_response_iss_parameter_supported
        return issuer == self.provider.issuer

    def finish(self, pending: PendingSignIn, code: str) -> SignedIn:
        """Who signed in.

        Raises:
            ProviderFailed: the provider cannot be asked.
            CodeRefused: it does not know the code, or not this client.
            TokenRefused: what it answers proves nothing.
        """
        tokens = self._tokens(pending, code)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise TokenRefused("no ID token")
        person = self._reader.read(
            id_token,
            nonce=pending.nonce,
            access_token=access_token if isinstance(access_token, str) else None,
        )
        return SignedIn(person, id_token if len(id_token) <= LONGEST_HINT else "")

    def sign_out_url(self, id_token: str) -> str | None:
        """Where the browser goes to sign out at the provider; None where that is not possible.

        RP-Initiated Logout 1.0, section 2.
        """
        try:
            endpoint = self.provider.metadata().end_session_endpoint
        except ProviderFailed as failure:
            log.warning("provider failed at sign-out", extra={"reason": str(failure)})
            return None
        if endpoint is None:
            return None
        parameters = [
            ("client_id", self._settings.sign_in_client_id),
            ("post_logout_redirect_uri", self._settings.public_url + SIGNED_OUT),
        ]
        if id_token:
            parameters.append(("id_token_hint", id_token))
        return add_params_to_uri(endpoint, parameters)

    def _tokens(self, pending: PendingSignIn, code: str) -> Mapping[str, object]:
        metadata = self.provider.metadata()
        body = prepare_token_request(
            "authorization_code",
            redirect_uri=self._settings.public_url + CALLBACK,
            code=code,
            code_verifier=pending.code_verifier,
            **self._assertion(),
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        client = self._client(metadata)
        _, headers, body = client.prepare("POST", metadata.token_endpoint, headers, body)
        answer = self._http.post(metadata.token_endpoint, headers, body)
        if answer.status == 200:
            return answer.content
        error = answer.content.get("error")
        if answer.status >= 500 or not isinstance(error, str):
            raise ProviderFailed(f"status {answer.status}")
        raise CodeRefused(error if error in KNOWN_ERRORS else "other error")

    def _assertion(self) -> dict[str, str]:
        path = self._settings.sign_in_client_assertion_file
        if path is None:
            return {}
        return {"client_assertion_type": JWT_BEARER, "client_assertion": read_secret(path)}

    def _client(self, metadata: Metadata) -> ClientAuth:
        """How this client proves itself (RFC 6749, section 2.3.1)."""
        client_id = self._settings.sign_in_client_id
        path = self._settings.sign_in_client_secret_file
        if path is None:
            return ClientAuth(client_id, None, "none")
        secret = read_secret(path)
        if "client_secret_post" in metadata.token_endpoint_auth_methods_supported:
            return ClientAuth(client_id, secret, "client_secret_post")
        return ClientAuth(quote_plus(client_id), quote_plus(secret), "client_secret_basic")


def read_secret(path: Path) -> str:
    """The one secret in a file, which may be replaced while the page runs.

    Raises:
        CodeRefused: there is none; the log names the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_SECRET + 1)
        secret = content.decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        secret = content = b""
    if not secret or len(content) > LONGEST_SECRET or len(secret.split()) != 1:
        log.error("the client's credential cannot be read", extra={"file": str(path)})
        raise CodeRefused("credential file")
    return str(secret)


def host_of(issuer: str) -> str:
    """The provider, as people are told of it."""
    return urlsplit(issuer).hostname or ""
