"""`python -m infra.doctor`: what it prints, its exit status, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from infra.cost.retail_prices import RetailPrices
from infra.doctor import __main__ as doctor
from infra.doctor import examination, matters
from infra.doctor.answers import NotSignedIn
from infra.doctor.examination import Check, examine
from infra.doctor.findings import Verdict, ok
from infra.planning.stacks import ROOT
from tests.infra.doctor.resource_manager import Fault, ResourceManager, World, token
from tests.infra.plans import recording_of

NOBODY = RetailPrices("http://127.0.0.1:1/", sleep=lambda _: None)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Recordings are the session's, tools are another test's, and no file of the user's is used."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("infra.recording.record", lambda _settings, *, stack: recording_of(stack))
    monkeypatch.setattr(matters, "look_at_tools", lambda *_: iter([ok("python", "3.11")]))
    monkeypatch.setattr("infra.doctor.checks.account.is_made_up", lambda _: False)
    monkeypatch.setattr("infra.doctor.checks.dns.RESERVED", ())
    monkeypatch.setattr("infra.doctor.checks.dns._records", lambda *_: ["192.0.2.7"])


def run(manager: ResourceManager, *arguments: str) -> int:
    return doctor.main(list(arguments), azure_of=lambda _: manager.azure(), prices=NOBODY)


def test_a_stack_that_will_do_exits_with_0(
    manager: ResourceManager, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(manager, "dev") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == "dev (Pulumi.dev.yaml), westeurope"
    assert "  system: 1 to 2 × Standard_D2ds_v5" in lines
    assert lines[-1].endswith("1 warning: nothing stands in the way")  # no prices
    assert "\033[" not in printed.out


def test_something_that_fails_exits_with_1_and_says_what_to_do(
    manager: ResourceManager, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.cores["standardDDSv5Family"] = (299, 300)
    world.fault(
        "/usages$", Fault(500, "InternalServerError", times=1, headers={"Retry-After": "0"})
    )
    world.fault("checkNameAvailability", Fault(403, "AuthorizationFailed"))
    assert run(manager, "dev") == 1
    out = capsys.readouterr().out
    assert "✗ standardDDSv5Family vCPUs  299 of 300 used" in out
    assert "      → az quota update --resource-name 'standardDDSv5Family'" in out
    assert "? names  could not be checked: no permission to look (403 AuthorizationFailed)" in out
    assert out.splitlines()[-1].endswith(": `pulumi up` would fail")


def test_something_that_could_not_be_looked_at_exits_with_2(
    manager: ResourceManager, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fault("kubernetesVersions", Fault(403, "AuthorizationFailed"))
    assert run(manager, "dev", "--json") == 2
    report = json.loads(capsys.readouterr().out)
    assert report["exit_status"] == 2
    assert report["counts"]["could not be checked"] == 1
    (found,) = [f for f in report["findings"] if f["verdict"] == "could not be checked"]
    assert (found["section"], found["remedy"]) == (
        "Kubernetes",
        "ask for the role Reader on the subscription",
    )


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_token_is_printed(
    manager: ResourceManager, world: World, capfd: pytest.CaptureFixture[str], form: tuple[str, ...]
) -> None:
    secret = token()
    world.fault("/skus", Fault(403, "AuthorizationFailed", f"Authorization: Bearer {secret}"))
    world.fault("/usages", Fault(501, "NotImplemented", secret))
    run(manager, "dev", *form)
    printed = capfd.readouterr()
    assert "ada@example.net" in printed.out
    assert secret not in printed.out + printed.err
    assert secret.rpartition(".")[2] not in printed.out + printed.err


def test_without_a_sign_in_azure_is_not_asked(
    manager: ResourceManager, world: World, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def nobody(_azure: object) -> None:
        raise NotSignedIn("Please run 'az login' to set up an account")

    monkeypatch.setattr("infra.doctor.azure.Azure.identity", nobody)
    assert run(manager, "dev") == 2
    out = capsys.readouterr().out
    assert "? sign-in  could not be checked: not signed in: Please run 'az login'" in out
    assert "      → az login" in out
    assert "✓ scoring-dev.example.org  leads to 192.0.2.7" in out
    assert world.asked == []


def test_offline_looks_at_this_machine_alone(
    manager: ResourceManager, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(manager, "dev", "--offline") == 0
    assert "- not looked at  not looked at: --offline" in capsys.readouterr().out
    assert world.asked == []


def test_a_tenant_of_the_environment_that_is_none_is_a_finding_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARM_TENANT_ID", "my tenant")
    assert doctor.main(["dev"], prices=NOBODY) == 2
    printed = capsys.readouterr()
    assert (
        "? sign-in  could not be checked: not signed in: ARM_TENANT_ID is no tenant id\n"
        "      → unset ARM_TENANT_ID, or set it to the stack's tenant_id\n"
    ) in printed.out
    assert "my tenant" not in printed.out + printed.err
    assert doctor.main(["dev", "--offline"], prices=NOBODY) == 0


def test_a_stack_without_azure_asks_nobody(manager: ResourceManager, world: World) -> None:
    assert run(manager, "local") == 0
    assert world.asked == []


def test_made_up_ids_fail(
    manager: ResourceManager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert doctor.main(["dev", "--offline", "--json"], azure_of=lambda _: manager.azure()) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    failing = {f["subject"] for f in findings if f["section"] == "Stack file"}
    assert failing == {"subscription_id", "tenant_id"}


def test_an_unknown_stack_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["prdo"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith('python -m infra.doctor: there is no stack "prdo"')


@pytest.mark.parametrize("arguments", [[], ["dev", "--deadline", "0"], ["dev", "--deadline", "x"]])
def test_wrong_flags_exit_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        doctor.main(arguments)
    assert exit_.value.code == 2


def test_a_check_that_hangs_is_left_at_the_deadline() -> None:
    def hang() -> Any:
        time.sleep(20)
        yield ok("never", "…")

    checks = [Check("Slow", hang), Check("Quick", lambda: [ok("quick", "there")])]
    start = time.monotonic()
    slow, quick = examine(checks, deadline_seconds=0.5)
    assert time.monotonic() - start < 10
    assert slow.findings[0].verdict is Verdict.UNKNOWN
    assert quick.findings[0].verdict is Verdict.OK


def test_one_deadline_holds_for_the_sign_in_and_what_follows_it(
    manager: ResourceManager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign-in that hangs takes all the time: for DNS, which needs none, nothing is left."""

    def slow(*_: object) -> list[str]:
        time.sleep(0.3)
        return ["192.0.2.7"]

    monkeypatch.setattr("infra.doctor.azure.Azure.identity", lambda _: time.sleep(20))
    monkeypatch.setattr("infra.doctor.checks.dns._records", slow)
    assert run(manager, "dev", "--deadline", "2") == 2
    out = capsys.readouterr().out
    assert "leads to 192.0.2.7" not in out
    assert out.count("nothing came within 2 s") == 1
    assert out.count("the 2 s were over before") >= 2


def test_a_program_that_hangs_takes_none_of_the_time_that_azure_has(
    manager: ResourceManager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.doctor.matters.look_at_tools", lambda *_: time.sleep(20))
    assert run(manager, "dev", "--deadline", "4") == 2
    out = capsys.readouterr().out
    assert out.count("nothing came within 4 s") == 1
    assert "were over before" not in out


def test_a_check_that_breaks_keeps_what_it_had_found() -> None:
    def breaks() -> Any:
        yield ok("first", "there")
        raise KeyError("secret-text")

    (section,) = examine([Check("Breaks", breaks)])
    assert [f.verdict for f in section.findings] == [Verdict.OK, Verdict.UNKNOWN]
    assert section.findings[1].message == "the answer was not understood (KeyError)"


def test_few_threads_make_many_checks() -> None:
    checks = [Check(str(n), lambda n=n: [ok(str(n), "there")]) for n in range(50)]
    sections = list(examine(checks))
    assert [section.title for section in sections] == [str(n) for n in range(50)]
    assert examination.THREADS < 20


def test_ctrl_c_ends_it_at_once_without_a_traceback(tmp_path: Path) -> None:
    """While a question that will never be answered is open."""
    program = (
        "import socket, sys\n"
        "from infra.doctor.__main__ import main\n"
        "from tests.infra.doctor.resource_manager import ResourceManager, World\n"
        "silent = socket.create_server(('127.0.0.1', 0))\n"
        "url = f'http://127.0.0.1:{silent.getsockname()[1]}'\n"
        "manager = ResourceManager(World(), url)\n"
        "def azure(_settings):\n"
        "    print('asking', file=sys.stderr, flush=True)\n"
        "    return manager.azure()\n"
        "sys.exit(main(['dev'], azure_of=azure))\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stderr is not None
        assert started.stderr.readline() == "asking\n"
        time.sleep(1.5)
        started.send_signal(signal.SIGINT)
        out, error = started.communicate(timeout=120)
    finally:
        started.kill()
    assert (started.returncode, out, error) == (130, "", "python -m infra.doctor: interrupted\n")


def test_the_plan_does_not_import_azures_libraries() -> None:
    program = (
        "import sys; from infra import plan; plan.main(['local']);"
        "print([m for m in sys.modules if m.startswith(('azure', 'dns', 'requests'))])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"
