"""Dockerfiles agree with one another, with the pods and with the services' own files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.kubernetes.pod import USER_ID
from services.faq.settings import FaqSettings
from services.resnet.settings import ResnetSettings
from services.web.settings import WebSettings
from tests.infra.kubernetes.platform_objects import ROOT

NAMES = ("faq", "resnet", "web")
SETTINGS = {"faq": FaqSettings, "resnet": ResnetSettings, "web": WebSettings}
PINNED = re.compile(r"^ARG BASE_IMAGE=python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}$", re.M)


def dockerfile(name: str) -> str:
    text = (ROOT / "services" / name / "Dockerfile").read_text()
    return text.replace("\\\n", " ")


def instructions(name: str, keyword: str) -> list[str]:
    found = re.findall(rf"^{keyword} (.*)$", dockerfile(name), re.M)
    return [re.sub(r"\s+", " ", each).strip() for each in found]


def test_the_base_is_one_image_by_digest() -> None:
    bases = {match for name in NAMES for match in PINNED.findall(dockerfile(name))}
    assert len(bases) == 1
    for name in NAMES:
        stages = {stage.split(" AS ")[1] for stage in instructions(name, "FROM")}
        for stage in instructions(name, "FROM"):
            base = stage.split(" AS ")[0]
            assert base in {"${BASE_IMAGE}", *stages}, f"{name}: {stage}"


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_as_the_user_that_pods_ask_for(name: str) -> None:
    assert instructions(name, "USER") == [f"{USER_ID}:{USER_ID}"]


@pytest.mark.parametrize("name", NAMES)
def test_it_starts_the_service_itself(name: str) -> None:
    """Not a shell, which would keep SIGTERM to itself."""
    assert instructions(name, "ENTRYPOINT") == [f'["python", "-m", "services.{name}", "serve"]']
    assert instructions(name, "EXPOSE") == ["8080 9090"]
    assert instructions(name, "CMD") == []
    assert instructions(name, "HEALTHCHECK") == ["NONE"]


@pytest.mark.parametrize("name", NAMES)
def test_packages_are_checked_by_hash(name: str) -> None:
    installs = re.findall(r"pip install.*?(?=&&|$)", dockerfile(name), re.M)
    assert installs
    for install in installs:
        assert "--require-hashes" in install
        assert "--no-cache-dir" in install
        assert "--only-binary :all:" in install, "a compiler"
        for requirements in re.findall(r"-r ([\w./-]+)", install):
            assert (ROOT / requirements).is_file()
            assert "--hash=sha256:" in (ROOT / requirements).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_root_can_be_read_only(name: str) -> None:
    variables = " ".join(instructions(name, "ENV"))
    for wanted in ("HOME=/tmp", "TMPDIR=/tmp", "PYTHONDONTWRITEBYTECODE=1"):
        assert wanted in variables


@pytest.mark.parametrize("name", NAMES)
def test_its_variables_are_settings(name: str) -> None:
    variables = " ".join(instructions(name, "ENV"))
    prefix = f"{name.upper()}_"
    known = {f"{prefix}{field}".upper() for field in SETTINGS[name].model_fields}
    own = {each.split("=")[0] for each in variables.split() if each.startswith(prefix)}
    assert {f"{prefix}HOST", f"{prefix}PORT", f"{prefix}METRICS_PORT"} <= own <= known


@pytest.mark.parametrize("name", NAMES)
def test_only_what_the_image_needs_travels(name: str) -> None:
    path = ROOT / "services" / name / "Dockerfile.dockerignore"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert allowed == {"services", "services/__init__.py", "services/serving", f"services/{name}"}
    assert "services/*" in lines
    for source in _copied(name):
        folder = str(Path(source).parent) if "*" in source else source
        assert any(folder == each or folder.startswith(f"{each}/") for each in allowed), source
        assert list(ROOT.glob(source)), source


def test_weights_come_while_building_and_by_the_stacks_arguments() -> None:
    stages = [stage for stage in _stages("resnet").values() if "services.resnet fetch" in stage]
    assert len(stages) == 4
    for stage in stages:
        assert re.search(r"^ARG ARCHITECTURE=resnet152$", stage, re.M)
        assert re.search(r"^ARG WEIGHTS=default$", stage, re.M)
        (fetch,) = re.findall(r"services\.resnet fetch.*", stage)
        assert '--architecture "${ARCHITECTURE}"' in fetch
        assert '--weights "${WEIGHTS}"' in fetch


@pytest.mark.parametrize("target", ["onnxruntime", "torch", "keras", "tensorflow"])
def test_each_backend_of_the_stack_is_a_target_with_its_own_packages(target: str) -> None:
    """Nobody installs what they do not use."""
    stages = _stages("resnet")
    library = "tensorflow" if target == "keras" else target
    packages = "packages" if target == "onnxruntime" else f"{library}-packages"
    assert stages[target].startswith(f"{library}-without-model AS {target}\n")
    assert f"COPY --from={packages} /venv /venv" in stages[f"{library}-without-model"]
    # What traces take is asked for by an argument, whichever the library.
    installed = re.findall(r"resnet/requirements-?(\w*)\.txt", stages[packages])
    assert set(installed) == {"", *([library] if library != "onnxruntime" else [])}


@pytest.mark.parametrize("framework", ["keras", "tensorflow"])
def test_images_of_keras_hold_a_network_of_their_own_framework(framework: str) -> None:
    stages = _stages("resnet")
    assert f"fetch --no-progress --framework {framework} " in stages[f"{framework}-model"]
    assert f"COPY --from={framework}-model /models/resnet" in stages[framework]


def test_the_lean_image_is_the_default_and_has_no_torch() -> None:
    by_name = _stages("resnet")
    assert " --no-torch " in by_name["onnxruntime-model"]
    assert "COPY --from=onnxruntime-model /models/resnet" in by_name["onnxruntime"]
    assert "COPY --from=torch-model /models/resnet" in by_name["torch"]
    assert list(by_name.values())[-1].startswith("onnxruntime-without-model AS onnxruntime\n")
    lean = by_name["onnxruntime-without-model"]
    assert lean.startswith("service AS ")
    assert "COPY --from=packages /venv /venv" in lean
    assert "COPY --from=torch-packages /venv /venv" in by_name["torch-without-model"]


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_mounted_wherever_packages_are_fetched(name: str) -> None:
    """An index's credentials as build arguments would stay readable in the image."""
    fetching = [run for run in instructions(name, "RUN") if "pip install" in run or "fetch" in run]
    assert fetching
    for run in fetching:
        assert run.startswith(
            "--mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca-bundle "
        )


@pytest.mark.parametrize("name", NAMES)
def test_its_source_is_told_behind_everything_that_is_run(name: str) -> None:
    """Another revision of the same files then does no work again."""
    text = dockerfile(name)
    told = text.index("ARG BUILD_VERSION")
    (stage,) = [each for each in _stages(name).values() if "BUILD_VERSION" in each]
    assert "RUN" not in text[told : text.index(stage) + len(stage)]
    for key, label in (("BUILD_VERSION", "version"), ("BUILD_REVISION", "revision")):
        assert f"{key}=${{{key}}}" in text
        assert f'org.opencontainers.image.{label}="${{{key}}}"' in text


@pytest.mark.parametrize("name", ["faq", "resnet"])
def test_what_traces_take_is_left_out_unless_asked_for(name: str) -> None:
    asked = '$([ "${TRACING}" != true ] || echo -r services/serving/requirements-tracing.txt)'
    stages = [each for each in _stages(name).values() if asked in each]
    assert len(stages) == {"faq": 1, "resnet": 3}[name]
    assert all("ARG TRACING=false\n" in stage for stage in stages)


def _stages(name: str) -> dict[str, str]:
    """By name, what follows each FROM."""
    stages = re.split(r"^FROM ", dockerfile(name), flags=re.M)[1:]
    return {stage.split()[2]: stage for stage in stages}


def _copied(name: str) -> list[str]:
    """Sources of every COPY from the context."""
    copies = [each for each in instructions(name, "COPY") if not each.startswith("--from")]
    return [source for each in copies for source in each.split()[:-1]]
