"""The documentation's site as `make docs` builds it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from services.launch import ROOT

SPHINX = ROOT / ".venvs" / "docs" / "bin" / "sphinx-build"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SPHINX.exists(), reason="`make docs` has not installed Sphinx yet"),
]


def build(pages: Path, into: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            SPHINX, "--fail-on-warning", "--keep-going", "--quiet",
            "-c", ROOT / "docs" / "site", pages, into,
        ],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "docs", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_front_door_is_the_readme_with_its_pictures(site: Path) -> None:
    front = (site / "index.html").read_text()
    assert "Two production scoring services" in front
    assert {"architecture.svg", "client-application-ask-light.png"} <= set(
        re.findall(r"_images/([\w.-]+)", front)
    )
    assert (site / "_images" / "architecture.svg").exists()


def test_pages_at_the_root_are_reached_from_the_front_door(site: Path) -> None:
    front = (site / "index.html").read_text()
    for page in ("contributing", "security", "changelog", "license", "decisions/index"):
        name = page if "/" in page else f"project/{page}"
        assert f'href="{name}.html"' in front
        assert (site / f"{name}.html").exists()


def test_a_reader_s_browser_asks_nobody_else(site: Path) -> None:
    fetched = re.compile(r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(https?:[^"]*)"')
    asked = {found for page in site.rglob("*.html") for found in fetched.findall(page.read_text())}
    assert asked == set()


def test_a_broken_link_and_a_page_that_nobody_reaches_stop_the_build(tmp_path: Path) -> None:
    pages = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", pages, ignore=shutil.ignore_patterns("*.png"))
    for page in pages.rglob("*.md"):
        page.unlink()
    (pages / "index.md").write_text("# Start\n[gone](gone.md)\n[no heading](#nowhere)\n")
    (pages / "lonely.md").write_text("# Lonely\n")
    done = build(pages, tmp_path / "site")
    assert done.returncode != 0
    for said in ("gone.md", "nowhere", "lonely.md"):
        assert said in done.stderr
