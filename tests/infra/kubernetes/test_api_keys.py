"""Keys are secrets, reach the pods that need them, and can be rotated."""

from __future__ import annotations

from typing import Any, cast

import yaml

from infra.planning.wire import Secret
from services.serving.api_keys import KeyFile
from tests.infra.kubernetes.platform_objects import resource_of, spec_of
from tests.infra.kubernetes.workload_objects import VAULT, WEB, WEB_KEY, declared_workloads

PLAIN = {"web": WEB}
IN_VAULT = {"web": WEB, "security": VAULT}


def kept(name: str) -> dict[str, Any]:
    """What a Kubernetes Secret holds; its program has wrapped it."""
    data = resource_of(declared_workloads(PLAIN), "Secret", name).inputs["stringData"]
    assert isinstance(data, Secret)
    return cast(dict[str, Any], data.value)


def keys_volume(name: str, values: dict[str, Any]) -> dict[str, Any]:
    pod = spec_of(declared_workloads(values), "Deployment", name)["template"]["spec"]
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "keys"]
    return volume


def vault_secret(name: str) -> dict[str, Any]:
    found = declared_workloads(IN_VAULT).one(":keyvault:Secret", name)
    return cast(dict[str, Any], found.inputs)


def test_the_key_file_is_a_secret_that_can_change() -> None:
    KeyFile.model_validate_json(kept("scoring-api-keys")["keys.json"])
    secret = resource_of(declared_workloads(PLAIN), "Secret", "scoring-api-keys").inputs
    assert (secret["type"], secret["immutable"]) == ("Opaque", False)


def test_the_pages_key_has_a_secret_of_its_own() -> None:
    assert kept("scoring-web-key") == {"api-key": WEB_KEY}


def test_each_pod_mounts_its_own_file() -> None:
    names = {
        name: keys_volume(name, PLAIN)["secret"]["secretName"] for name in ("faq", "resnet", "web")
    }
    assert names == {
        "faq": "scoring-api-keys",
        "resnet": "scoring-api-keys",
        "web": "scoring-web-key",
    }
    assert keys_volume("faq", PLAIN)["secret"]["defaultMode"] == 0o440


def test_a_secret_of_a_vault_goes_with_it() -> None:
    """Its deletion alone would take a right in the vault that whoever deploys has not."""
    found = declared_workloads(IN_VAULT).of_type(":keyvault:Secret")
    assert found
    assert all(secret.options.retain_on_delete for secret in found)


def test_with_a_vault_no_key_is_in_the_cluster() -> None:
    assert not declared_workloads(IN_VAULT).of_type("core/v1:Secret")


def test_the_vault_holds_the_same_files() -> None:
    services = vault_secret("api-keys-scoring-api-keys")
    content = services["properties"]["value"]
    assert isinstance(content, Secret)
    KeyFile.model_validate_json(str(content.value))
    assert services["secretName"] == "scoring-api-keys"
    assert services["vaultName"] == "key_vault_name"
    page = vault_secret("api-keys-scoring-web-key")["properties"]["value"]
    assert isinstance(page, Secret)
    assert page.value == WEB_KEY


def test_a_pod_mounts_from_the_vault_as_itself() -> None:
    recording = declared_workloads(IN_VAULT)
    for name, secret, file in (
        ("faq", "scoring-api-keys", "keys.json"),
        ("resnet", "scoring-api-keys", "keys.json"),
        ("web", "scoring-web-key", "api-key"),
    ):
        csi = keys_volume(name, IN_VAULT)["csi"]
        assert csi["driver"] == "secrets-store.csi.k8s.io"
        provider = spec_of(
            recording, "SecretProviderClass", csi["volumeAttributes"]["secretProviderClass"]
        )
        parameters = provider["parameters"]
        assert f"identities-{name}.clientId" in parameters["clientID"]
        assert parameters["keyvaultName"] == "key_vault_name"
        (mounted,) = [
            yaml.safe_load(each) for each in yaml.safe_load(parameters["objects"])["array"]
        ]
        assert mounted == {"objectName": secret, "objectType": "secret", "objectAlias": file}


def test_the_vaults_secrets_go_through_azures_provider() -> None:
    recording = declared_workloads(IN_VAULT)
    for found in recording.of_type(":keyvault:Secret"):
        assert found.options.provider.startswith(recording.one(":azure-native").urn)
