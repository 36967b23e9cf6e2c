"""Large memory that is in use is put into huge pages, and nothing else is touched."""

from __future__ import annotations

import mmap
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.serving import huge_pages, server
from services.serving.huge_pages import HUGE_PAGE, use_huge_pages
from tests.services.serving.live_service import service

SMAPS = Path("/proc/self/smaps")
SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
NEEDS_ASKING = pytest.mark.skipif(
    not SETTING.exists() or "[madvise]" not in SETTING.read_text(),
    reason="needs a Linux that gives huge pages to who asks",
)
HEAD = "{start:x}-{end:x} {access} 00000000 00:00 {inode} {name}\n"
FIELDS = "Size: {size} kB\nKernelPageSize:        4 kB\nRss:      {resident} kB\nPss: 1 kB\n"


@contextmanager
def memory(megabytes: int, *, used: int) -> Iterator[mmap.mmap]:
    """Memory from the system, of which the first megabytes are in use."""
    with mmap.mmap(-1, megabytes << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as region:
        # It must not be joined to a neighbour.
        region.madvise(mmap.MADV_DONTDUMP)
        region.write(random.Random(1).randbytes(used << 20))
        yield region


def system_says(megabytes: int) -> str:
    """What the system says of the region of that size that is not dumped."""
    for each in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", SMAPS.read_text()):
        if re.search(rf"\nSize: +{megabytes << 10} kB", each) and re.search(r"VmFlags:.* dd", each):
            return each
    raise AssertionError("the region is not there")


def field_of(megabytes: int, name: str) -> int:
    """One field of that, in megabytes."""
    found = re.search(rf"\n{name}: +(\d+) kB", system_says(megabytes))
    assert found
    return int(found[1]) >> 10


@pytest.fixture
def smaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the place of what the system says of this process's memory."""
    path = tmp_path / "smaps"
    monkeypatch.setattr(huge_pages, "_SMAPS", path)
    return path


def described(
    start: int, megabytes: int, resident: int, access: str = "rw-p", name: str = "", inode: int = 0
) -> str:
    end = start + (megabytes << 20)
    return HEAD.format(start=start, end=end, access=access, inode=inode, name=name) + FIELDS.format(
        size=megabytes << 10, resident=resident << 10
    )


def regions(text: str) -> list[tuple[int, int]]:
    found = huge_pages._large_regions(text.encode())
    return [(each.start, each.end) for each in found]


@NEEDS_ASKING
def test_memory_in_use_is_put_into_huge_pages_and_stays_what_it_was() -> None:
    with memory(24, used=24) as region:
        assert field_of(24, "AnonHugePages") == 0
        if not use_huge_pages() or " hg" in system_says(24):
            pytest.skip("this system does not give huge pages at once")
        assert field_of(24, "AnonHugePages") >= 20
        assert region[:] == random.Random(1).randbytes(24 << 20)


@NEEDS_ASKING
def test_memory_that_is_not_in_use_does_not_come_into_use() -> None:
    with memory(40, used=4):
        use_huge_pages()
        assert field_of(40, "Rss") == 4


@NEEDS_ASKING
def test_a_service_has_its_memory_in_huge_pages_once_its_model_is_there(tmp_path: Path) -> None:
    with memory(24, used=24):
        use_huge_pages()
        if not field_of(24, "AnonHugePages"):
            pytest.skip("this system does not give huge pages at once")
    with service(tmp_path) as live:
        rollup = Path(f"/proc/{live.process.pid}/smaps_rollup").read_text()

    found = re.search(r"^AnonHugePages: +(\d+) kB", rollup, re.MULTILINE)
    assert found
    assert int(found[1]) > 0


def test_a_new_model_is_put_into_huge_pages_before_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(server, "use_huge_pages", lambda: steps.append("in huge pages"))

    class Answering:
        def replace_model(self, model: str) -> None:
            steps.append(f"{model} answers")

    server._replace(Answering(), "the new one")  # type: ignore[arg-type]

    assert steps == ["in huge pages", "the new one answers"]


def test_a_system_that_says_nothing_of_its_memory_is_left_alone(smaps: Path) -> None:
    assert not smaps.exists()
    assert use_huge_pages() == 0


def test_one_that_refuses_gives_nothing(smaps: Path) -> None:
    smaps.write_text(described(2**47 - 2**30, 64, 64))
    assert use_huge_pages() == 0


@NEEDS_ASKING
def test_a_system_that_is_set_to_give_none_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = tmp_path / "enabled"
    setting.write_text("always madvise [never]\n")
    monkeypatch.setattr(huge_pages, "_SETTING", setting)
    with memory(24, used=24):
        assert use_huge_pages() == 0
        assert field_of(24, "AnonHugePages") == 0


def test_only_whole_huge_pages_of_private_memory_in_use_are_asked_for() -> None:
    page = HUGE_PAGE
    text = (
        described(10 * page, 8, 8)
        + described(20 * page + 4096, 8, 7, name="[heap]")
        + described(30 * page, 8, 5)
        + described(40 * page, 8, 8, access="r-xp", name="/usr/lib/x.so", inode=7)
        + described(50 * page, 8, 8, name="/data/model (deleted)", inode=9)
        + described(60 * page, 8, 8, name="[stack]")
        + described(70 * page, 8, 8, access="rw-s")
        + described(80 * page + 4096, 2, 2)
    )

    assert regions(text) == [(10 * page, 14 * page), (21 * page, 24 * page)]
