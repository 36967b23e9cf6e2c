"""Rules of the services: what breaks them, and the border that is allowed."""

from __future__ import annotations

from tests.infra.rule_cases.case import GPU, PAGE, SIGN_IN, Case

CASES = [
    Case(
        "resnet.backend",
        "CPU only",
        {
            **GPU,
            "resnet.device": "gpu",
            "resnet.backend": "onnxruntime",
            "resnet.scaling.max_replicas": 3,
        },
        {"resnet.backend": "torch"},
    ),
    Case(
        "resnet.backend",
        "keras runs on the CPU only",
        {
            **GPU,
            "resnet.device": "gpu",
            "resnet.backend": "keras",
            "resnet.scaling.max_replicas": 3,
        },
        {"resnet.device": "cpu"},
    ),
    Case(
        "resnet.weights",
        "not a name of Keras's",
        {"resnet.backend": "tensorflow", "resnet.weights": "IMAGENET1K_V2"},
        {"resnet.weights": "imagenet"},
    ),
    Case(
        "resnet.device",
        "no GPU pool",
        {"resnet.device": "gpu", "resnet.scaling.max_replicas": 3},
        GPU,
    ),
    Case(
        "faq.queue_mib",
        "all of a pod's memory",
        {"faq.queue_mib": 512},
        {"faq.queue_mib": 511},
    ),
    Case(
        "resnet.queue_mib",
        "less than one picture",
        {"resnet.queue_mib": 7},
        {"gateway.max_body_mib": 7},
    ),
    Case(
        "resnet.queue_mib",
        "less than one picture",
        {"layers": ["local"], "resnet.queue_mib": 7},
        {"resnet.queue_mib": 8},
    ),
    Case(
        "faq.scaling.min_replicas",
        "5 is over",
        {"faq.scaling.min_replicas": 5},
        {"faq.scaling.min_replicas": 4},
    ),
    Case(
        "faq.max_unavailable",
        "all the pods",
        {"faq.max_unavailable": 2, "faq.scaling.min_replicas": 2},
        {"faq.scaling.min_replicas": 3},
    ),
    Case(
        "faq.scaling.min_replicas",
        "drained",
        {"faq.scaling.min_replicas": 1},
        {"faq.scaling.min_replicas": 2},
        prod=True,
    ),
    Case(
        "web.scaling.metric",
        "no model",
        {"web.scaling.metric": "queue"},
        {"web.scaling.metric": "cpu"},
    ),
    Case(
        "web.api_key",
        "is missing",
        {"web.enabled": True, "web.sign_in": SIGN_IN},
        {"web.api_key": "k"},
    ),
    Case(
        "web.sign_in",
        "is missing",
        {"web.enabled": True, "web.api_key": "k"},
        {"web.sign_in": SIGN_IN},
    ),
    Case(
        "web.sign_in.groups",
        "is missing",
        {**PAGE, "web.sign_in": {"client_id": "page"}},
        {"web.sign_in": {"client_id": "page", "everyone": True}},
    ),
    Case(
        "web.sign_in.everyone",
        "beside groups or roles",
        {**PAGE, "web.sign_in": {"client_id": "page", "everyone": True, "roles": ["a"]}},
        {"web.sign_in": {"client_id": "page", "roles": ["a"]}},
    ),
    Case(
        "web.sign_in.client_secret",
        "is missing, and the issuer is not Entra",
        {**PAGE, "web.sign_in": {**SIGN_IN, "issuer": "https://accounts.example.org"}},
        {"web.sign_in": SIGN_IN},
    ),
    Case(
        "faq.cpu_millicores",
        "fits on no node",
        {"faq.cpu_millicores": 3461, "cluster.cpu_pool.max_nodes": 8},
        {"faq.cpu_millicores": 3460},
    ),
    Case(
        "faq.memory_mib",
        "fits on no node",
        {"faq.memory_mib": 14_135, "cluster.cpu_pool.max_nodes": 8},
        {"faq.memory_mib": 14_134},
    ),
    Case(
        "resnet.scaling.max_replicas",
        "4 pods do not fit on the full GPU pool",
        {**GPU, "resnet.device": "gpu", "resnet.scaling.max_replicas": 4},
        {"cluster.gpu_pool.max_nodes": 4},
    ),
    Case(
        "resnet.scaling.max_replicas",
        "12 pods do not fit",
        {
            "cluster.gpu_pool": {"time_slices": 4},
            "resnet.device": "gpu",
            "resnet.scaling.max_replicas": 12,
        },
        {"resnet.cpu_millicores": 865},
    ),
    Case(
        "cluster.cpu_pool.max_nodes",
        "3 nodes of Standard_D4ds_v5 do not hold the most pods",
        {"cluster.cpu_pool.max_nodes": 3},
        {"cluster.cpu_pool.max_nodes": 4},
    ),
    Case(
        "cluster.cpu_pool.max_nodes",
        "do not hold the most pods",
        {"cluster.cpu_pool.max_nodes": 3},
        {
            "faq.scaling.max_replicas": 3,
            "resnet.scaling.max_replicas": 3,
            "gateway.max_replicas": 2,
        },
    ),
]
