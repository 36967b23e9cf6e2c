"""The tree that people read."""

from __future__ import annotations

import pytest

from infra.planning.monitor import Options, Recorded
from infra.planning.tree import counts, stack_outputs, tree
from infra.planning.wire import Secret, Value
from infra.planning.worth_showing import shortened, shown_properties
from infra.standard_output import Screen
from tests.infra.plans import recording_of

POOL = "azure-native:containerservice:AgentPool"


def _made(name: str, parent: str = "", **inputs: Value) -> Recorded:
    return Recorded(POOL, name, f"urn:{name}", parent, inputs, Options(protect=True), custom=True)


def test_children_hang_below_their_parents() -> None:
    resources = (_made("a"), _made("b", "urn:a"), _made("c", "urn:b"), _made("d"))
    assert [line.split("  container")[0] for line in tree(resources, Screen())] == [
        "├─ a",
        "│  └─ b",
        "│     └─ c",
        "└─ d",
    ]


def test_what_matters_stands_beside_the_name() -> None:
    (line,) = tree((_made("cpu", vmSize="Standard_D4ds_v5", minCount=1, maxCount=3),), Screen())
    assert line == ("└─ cpu  containerservice:AgentPool  Standard_D4ds_v5 × 1–3 · [protected]")


def test_long_lines_go_on_below_within_the_width() -> None:
    pool = _made("cpu", agentPoolName="p" * 30, nodeTaints=["t" * 30])
    lines = list(tree((pool, _made("z")), Screen(width=60)))
    assert all(len(line) <= 60 for line in lines)
    assert lines[1].startswith("│  ")
    assert "p" * 30 in lines[1]


def test_colours_are_for_terminals() -> None:
    plain = "\n".join(tree((_made("cpu"),), Screen()))
    coloured = "\n".join(tree((_made("cpu"),), Screen(colours=True)))
    assert "\033[" not in plain
    assert coloured.replace("\033[1m", "").replace("\033[2m", "").replace("\033[0m", "") == plain


def test_counts_are_of_what_providers_make() -> None:
    component = Recorded("realtime-scoring:azure:Network", "n", "urn:n", "", {}, Options(), False)
    other = Recorded("realtime-scoring:azure:Cluster", "c", "urn:c", "", {}, Options(), False)
    lines = list(counts((component, other, _made("a"), _made("b")), Screen()))
    assert lines == ["2 resources in 2 components", f"     2  {POOL}"]


def test_addresses_come_first_and_secrets_never() -> None:
    outputs: dict[str, Value] = {"a": Secret("hunter2"), "faq_url": "https://x", "none": ""}
    assert list(stack_outputs(outputs, Screen())) == [
        "Outputs",
        "  faq_url  https://x",
        "  a        <secret>",
        "  none     (none)",
    ]


def test_a_template_with_a_gap_is_left_out() -> None:
    assert shown_properties(POOL, {"minCount": 1, "scaleSetPriority": "Spot"}) == ["Spot"]


def test_labels_with_dots_are_found() -> None:
    inputs: dict[str, Value] = {
        "metadata": {"name": "n", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    }
    assert shown_properties("kubernetes:core/v1:Namespace", inputs) == [
        "n",
        "Pod Security restricted",
    ]


def test_a_placeholder_is_shown_by_its_resource_and_property() -> None:
    urn = "urn:pulumi:dev::realtime-scoring::a:b:C$azure-native:network:PublicIPAddress::gateway"
    assert shortened(f"x <output of {urn}.ipAddress> y") == "x <gateway.ipAddress> y"
    assert shortened("<output of acme/scoring/dev.cluster_id>") == "<acme/scoring/dev.cluster_id>"


@pytest.mark.parametrize(
    ("type_", "name", "shown"),
    [
        ("HTTPRoute", "gateway-faq", "scoring.example.org · on https · /faq → faq:8080"),
        ("HTTPRoute", "gateway-redirect", "scoring.example.org · on http · to https"),
        ("EnvoyProxy", "gateway-proxy", "3–9 replicas"),
        ("ClientTrafficPolicy", "gateway-clients", "TLS 1.2 or newer"),
        (
            "BackendTrafficPolicy",
            "gateway-backends",
            "3000 requests a Minute and address · bodies of 8Mi",
        ),
        ("Issuer", "gateway-certificates-issuer", "https://acme-v02.api.letsencrypt.org/directory"),
        ("NetworkSecurityGroup", "network-nodes-rules", "allow-web"),
    ],
)
def test_what_guards_the_way_in_is_shown(type_: str, name: str, shown: str) -> None:
    resource = recording_of("prod").one(f":{type_}", name)
    assert shown in " · ".join(shown_properties(resource.type, resource.inputs))
