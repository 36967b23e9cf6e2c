"""How many CPUs a process may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.serving.cpu import available_cpus, cgroup_quota, limit_native_threads

AFFINITY = len(os.sched_getaffinity(0))


def cgroup_v2(folder: Path, content: str) -> Path:
    (folder / "cpu.max").write_text(content)
    return folder


def cgroup_v1(folder: Path, quota: str, period: str) -> Path:
    (folder / "cpu").mkdir()
    (folder / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (folder / "cpu" / "cpu.cfs_period_us").write_text(period)
    return folder


def member_of(folder: Path, *lines: str) -> Path:
    path = folder / "membership"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("content", "quota"),
    [
        ("200000 100000\n", 2.0),
        ("50000 100000\n", 0.5),
        ("150000 100000\n", 1.5),
        ("max 100000\n", None),
        ("nonsense", None),
        ("100 0", None),
        ("", None),
    ],
)
def test_cgroup_v2_states_the_quota_and_its_period(
    tmp_path: Path, content: str, quota: float | None
) -> None:
    assert cgroup_quota(cgroup_v2(tmp_path, content)) == quota


@pytest.mark.parametrize(
    ("quota", "period", "cpus"),
    [
        ("300000\n", "100000\n", 3.0),
        ("25000\n", "100000\n", 0.25),
        ("-1\n", "100000\n", None),
        ("100000", "0", None),
        ("", "", None),
    ],
)
def test_cgroup_v1_states_them_in_two_files(
    tmp_path: Path, quota: str, period: str, cpus: float | None
) -> None:
    assert cgroup_quota(cgroup_v1(tmp_path, quota, period)) == cpus


@pytest.mark.parametrize(
    ("of_pod", "of_container", "quota"),
    [("max 100000", "150000 100000", 1.5), ("50000 100000", "max 100000", 0.5),
     ("100000 100000", "300000 100000", 1.0), ("400000 100000", "200000 100000", 2.0),
     ("max 100000", "max 100000", None)],
)  # fmt: skip
def test_of_nested_groups_the_least_quota_holds(
    tmp_path: Path, of_pod: str, of_container: str, quota: float | None
) -> None:
    container = tmp_path / "kubepods" / "container"
    container.mkdir(parents=True)
    cgroup_v2(container.parent, of_pod)
    cgroup_v2(container, of_container)
    membership = member_of(tmp_path, "0::/kubepods/container")

    assert cgroup_quota(tmp_path, membership) == quota


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_cgroup_v1_is_nested_too(tmp_path: Path, mount: str) -> None:
    group = tmp_path / mount / "docker" / "abc"
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text("200000")
    (group / "cpu.cfs_period_us").write_text("100000")
    lines = ("12:memory:/docker/abc", "4:cpu,cpuacct:/docker/abc", "0::/docker/abc")

    assert cgroup_quota(tmp_path, member_of(tmp_path, *lines)) == 2.0


def test_the_groups_of_another_controller_do_not_count(tmp_path: Path) -> None:
    group = tmp_path / "cpu" / "elsewhere"
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text("200000")
    (group / "cpu.cfs_period_us").write_text("100000")

    assert cgroup_quota(tmp_path, member_of(tmp_path, "3:cpuset:/elsewhere", "4:cpu:/")) is None


@pytest.mark.parametrize(
    "line", ["0::/../../outside", "0::/not/mounted/here", "nonsense", "", "0::", "::::"]
)
def test_a_path_that_is_not_there_leaves_the_mount_s_own_quota(tmp_path: Path, line: str) -> None:
    cgroup_v2(tmp_path, "50000 100000")

    assert cgroup_quota(tmp_path, member_of(tmp_path, line)) == 0.5


def test_without_a_cgroup_there_is_no_quota(tmp_path: Path) -> None:
    assert cgroup_quota(tmp_path) is None
    assert available_cpus(tmp_path) == AFFINITY


def test_a_fraction_of_a_cpu_counts_as_one(tmp_path: Path) -> None:
    assert available_cpus(cgroup_v2(tmp_path, "10000 100000")) == 1


def test_a_fractional_quota_is_rounded_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))

    assert available_cpus(cgroup_v2(tmp_path, "250000 100000")) == 3


def test_a_quota_above_the_affinity_gives_no_more_cpus(tmp_path: Path) -> None:
    assert available_cpus(cgroup_v2(tmp_path, "6400000 100000")) == AFFINITY


def test_the_real_machine_has_at_least_one_cpu() -> None:
    assert 1 <= available_cpus() <= AFFINITY


def test_native_threads_are_bounded_unless_someone_has_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.setenv("NUMEXPR_NUM_THREADS", "7")

    limit_native_threads(3)

    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["MKL_NUM_THREADS"] == "3"
