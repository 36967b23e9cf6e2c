"""Where rules come from: a name that people search for, and an address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A published rule or page.

    Attributes:
        title: id of the rule, or name of the page.
        url: where it can be read.
    """

    title: str
    url: str


def psrule(identifier: str) -> Source:
    """A rule of PSRule for Azure, Microsoft's Well-Architected checks."""
    return Source(
        f"PSRule {identifier}", f"https://azure.github.io/PSRule.Rules.Azure/en/rules/{identifier}/"
    )


def checkov(identifier: str) -> Source:
    """A check of Checkov."""
    return Source(f"Checkov {identifier}", "https://www.checkov.io/5.Policy%20Index/all.html")


def kube_linter(check: str) -> Source:
    """A check of KubeLinter."""
    return Source(
        f"kube-linter {check}", f"https://docs.kubelinter.io/#/generated/checks?id={check}"
    )


def polaris(check: str) -> Source:
    """A check of Fairwinds Polaris."""
    return Source(f"Polaris {check}", "https://polaris.docs.fairwinds.com/checks/reliability/")


def kubescape(control: str) -> Source:
    """A control of Kubescape, of the CIS benchmark for AKS among others."""
    return Source(f"Kubescape {control}", f"https://hub.armosec.io/docs/{control.lower()}")


def aks(page: str) -> Source:
    """A page of Microsoft's AKS documentation."""
    return Source(f"AKS: {page}", f"https://learn.microsoft.com/azure/aks/{page}")


def azure(title: str, path: str) -> Source:
    """Another page of Microsoft's Azure documentation."""
    return Source(f"Azure: {title}", f"https://learn.microsoft.com/azure/{path}")


def kubernetes(title: str, path: str) -> Source:
    """A page of Kubernetes' documentation."""
    return Source(f"Kubernetes: {title}", f"https://kubernetes.io/docs/{path}/")


def gateway_api(title: str, path: str) -> Source:
    """A page of the Gateway API's documentation."""
    return Source(f"Gateway API: {title}", f"https://gateway-api.sigs.k8s.io/{path}/")


def issue(repository: str, number: int) -> Source:
    """An issue on GitHub in which users met the trap."""
    return Source(f"{repository}#{number}", f"https://github.com/{repository}/issues/{number}")
