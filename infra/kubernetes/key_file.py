"""The files that hold API keys: hashes for the services, one key for the client application."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from infra.sections.gateway import ApiKeySettings
from infra.settings import Settings

KEY_FOLDER = "/keys"
KEY_FILE = "keys.json"
"""Names, scopes and hashes, as services/serving/api_keys.py reads them."""
WEB_KEY_FILE = "api-key"
"""The client application's own key, as services/web/key_file.py reads it."""
WEB_KEY_NAME = "web"
CLIENT_SECRET_FILE = "client-secret"  # noqa: S105 - its name
"""With which the client application proves itself to the provider that signs people in."""


def key_file(settings: Settings) -> str:
    """The services' key file; without any key in it, they refuse everybody."""
    entries = [_entry(key) for key in settings.api_keys]
    if (web_key := web_api_key(settings)) is not None:
        entries.append(
            {
                "name": WEB_KEY_NAME,
                "sha256": hashlib.sha256(web_key.encode()).hexdigest(),
                "scopes": ["faq", "resnet"],
            }
        )
    return json.dumps({"keys": entries}, indent=2) + "\n"


def web_api_key(settings: Settings) -> str | None:
    """The client application's key, where it is deployed.

    Without the line's end that `pulumi config set` may have read with it: the application reads
    its key without, and the hash must be of the same text.
    """
    if not settings.web.enabled or settings.web.api_key is None:
        return None
    return settings.web.api_key.get_secret_value().strip()


def client_secret(settings: Settings) -> str | None:
    """The client application's secret at the provider, where it has one; likewise."""
    sign_in = settings.web.sign_in
    if not settings.web.enabled or sign_in is None or sign_in.client_secret is None:
        return None
    return sign_in.client_secret.get_secret_value().strip()


def _entry(key: ApiKeySettings) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": key.name,
        "sha256": key.sha256,
        "scopes": sorted(set(key.scopes)),
    }
    if key.expires is not None:
        entry["expires"] = key.expires.isoformat()
    if key.requests_per_second is not None:
        entry["requests_per_second"] = key.requests_per_second
    return entry
