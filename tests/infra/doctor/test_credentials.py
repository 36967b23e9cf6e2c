"""The doctor signs in as `pulumi up` would."""

from __future__ import annotations

from pathlib import Path

import azure.identity as identity
import pytest

from infra.doctor.answers import NotSignedIn
from infra.doctor.arm import SCOPE
from infra.doctor.credentials import LazyCredential, credential
from tests.infra.conftest import TENANT

CLIENT = {"ARM_CLIENT_ID": "77777777-7777-7777-7777-777777777777"}


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({}, identity.AzureCliCredential),
        (CLIENT, identity.AzureCliCredential),
        ({**CLIENT, "ARM_CLIENT_SECRET": "secret"}, identity.ClientSecretCredential),
        (
            {**CLIENT, "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": "t"},
            identity.ClientAssertionCredential,
        ),
        ({"ARM_USE_MSI": "true"}, identity.ManagedIdentityCredential),
    ],
)
def test_variables_choose_the_identity(environment: dict[str, str], kind: type) -> None:
    assert isinstance(credential(TENANT, environment), kind)


def test_a_federated_token_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    environment = {**CLIENT, "ARM_USE_OIDC": "1", "ARM_OIDC_TOKEN_FILE_PATH": str(file)}
    # It is read when a token is needed, because it is renewed.
    assert isinstance(credential(TENANT, environment), identity.ClientAssertionCredential)


@pytest.mark.parametrize("further", [{}, {**CLIENT, "ARM_CLIENT_SECRET": "secret"}])
def test_a_tenant_that_is_none_is_told_when_a_token_is_asked_for(further: dict[str, str]) -> None:
    lazy = LazyCredential(TENANT, {**further, "ARM_TENANT_ID": "my tenant"})
    with pytest.raises(NotSignedIn) as told:
        lazy.get_token(SCOPE)
    assert str(told.value) == "ARM_TENANT_ID is no tenant id"
    assert told.value.remedy == "unset ARM_TENANT_ID, or set it to the stack's tenant_id"


def test_a_secret_is_in_no_credentials_text() -> None:
    assert "hush" not in repr(LazyCredential(TENANT, {**CLIENT, "ARM_CLIENT_SECRET": "hush"}))
