from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra.kubernetes.kubeconfig import NoKubeconfig, without_questions
from infra.sections.access import AccessSettings

TENANT = "22222222-2222-2222-2222-222222222222"


def kubeconfig(**user: Any) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "aks", "cluster": {"server": "https://aks.example.org:443"}}],
            "contexts": [{"name": "aks", "context": {"cluster": "aks", "user": "me"}}],
            "current-context": "aks",
            "users": [{"name": "me", "user": user}],
        }
    )


AS_AKS_GIVES_IT = kubeconfig(
    exec={
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": ["get-token", "--login", "devicecode", "--client-id", "public", "--environment",
                 "AzurePublicCloud"],
        "provideClusterInfo": False,
    }
)  # fmt: skip


def rewritten(text: str, sign_in: str = "azurecli") -> Any:
    access = AccessSettings.model_validate({"sign_in": sign_in})
    return yaml.safe_load(without_questions(text, access, TENANT))


@pytest.mark.parametrize("sign_in", ["azurecli", "workloadidentity", "spn", "msi"])
def test_signs_in_as_the_settings_say(sign_in: str) -> None:
    section = rewritten(AS_AKS_GIVES_IT, sign_in)["users"][0]["user"]["exec"]
    assert section["command"] == "kubelogin"
    assert section["args"] == [
        "get-token",
        "--login", sign_in,
        "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630",
        "--tenant-id", TENANT,
    ]  # fmt: skip


def test_nobody_is_asked_anything() -> None:
    section = rewritten(AS_AKS_GIVES_IT)["users"][0]["user"]["exec"]
    assert section["interactiveMode"] == "Never"
    assert "devicecode" not in section["args"]


def test_the_rest_stays() -> None:
    before, after = yaml.safe_load(AS_AKS_GIVES_IT), rewritten(AS_AKS_GIVES_IT)
    del before["users"], after["users"]
    assert after == before


def test_version_of_the_protocol_stays() -> None:
    text = kubeconfig(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "x"})
    section = rewritten(text)["users"][0]["user"]["exec"]
    assert section["apiVersion"] == "client.authentication.k8s.io/v1"


def test_kubeconfig_with_a_certificate_comes_back_as_it_is() -> None:
    text = "# of a test cluster\n" + kubeconfig(**{"client-certificate-data": "QQ=="})
    assert without_questions(text, AccessSettings(), TENANT) == text


def test_twice_is_once() -> None:
    once = without_questions(AS_AKS_GIVES_IT, AccessSettings(), TENANT)
    assert without_questions(once, AccessSettings(), TENANT) == once


@pytest.mark.parametrize(
    "text",
    ["", "[", "token: [secret", "a secret", "[]", "kind: Config", "users: 1", "users: [1]",
     "users: [{name: me}]", "users: [{user: {}}, secret]"],
)  # fmt: skip
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NoKubeconfig) as refused:
        without_questions(text, AccessSettings(), TENANT)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
