"""Pods pull from Docker Hub with the account's token, and from Azure's registry without any."""

from __future__ import annotations

import base64
import json
from typing import Any

from infra.planning.wire import Secret
from tests.infra.kubernetes.platform_objects import manifest, spec_of
from tests.infra.kubernetes.workload_objects import declared_workloads

HUB: dict[str, Any] = {
    "registry": {
        "kind": "docker_hub",
        "docker_hub": {"namespace": "contoso", "username": "puller", "token": "dckr_pat_x"},
    }
}


def test_the_token_is_a_secret_that_the_kubelet_understands() -> None:
    secret = manifest(declared_workloads(HUB), "Secret", "docker-hub")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    assert isinstance(secret["stringData"], Secret)
    content = secret["stringData"].value[".dockerconfigjson"]
    entry = json.loads(content)["auths"]["https://index.docker.io/v1/"]
    assert base64.b64decode(entry["auth"]) == b"puller:dckr_pat_x"


def test_pods_name_it() -> None:
    pod = spec_of(declared_workloads(HUB), "Deployment", "faq")["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "docker-hub"}]
