"""The commit that an image is made of, and no other."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.image_source import ImageSource, image_source

FIRST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": FIRST.isoformat()},
    )  # fmt: skip
    return done.stdout.strip()


def commit(folder: Path, path: str, text: str) -> str:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)
    git(folder, "add", path)
    git(folder, "commit", "--quiet", "--message", path)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "services/__init__.py", "")
    return tmp_path


def now(source: Path) -> ImageSource | None:
    image_source.cache_clear()
    return image_source("faq", source)


def revision(source: Path) -> str:
    found = now(source)
    assert found is not None
    return found.revision


@pytest.mark.parametrize("path", ["services/faq/app.py", "services/serving/server.py"])
def test_it_is_the_last_commit_that_changed_the_image(source: Path, path: str) -> None:
    for text in ("one", "two"):
        made = commit(source, path, text)
        assert revision(source) == made


@pytest.mark.parametrize("path", ["services/resnet/app.py", "docs/page.md", "infra/plan.py"])
def test_a_commit_elsewhere_changes_nothing(source: Path, path: str) -> None:
    """Or every commit would change every plan, and restart every pod."""
    before = now(source)
    commit(source, path, "one")
    assert now(source) == before


def test_it_knows_when_it_was_written(source: Path) -> None:
    found = now(source)
    assert found is not None
    assert found.created == FIRST


def test_a_changed_source_is_no_commits(source: Path) -> None:
    (source / "services/__init__.py").write_text("two")
    assert now(source) is None


def test_neither_is_one_with_a_new_file(source: Path) -> None:
    """It would travel into the image."""
    (source / "services/faq").mkdir()
    (source / "services/faq/new.py").write_text("")
    assert now(source) is None


def test_a_change_elsewhere_does_not_matter(source: Path) -> None:
    before = now(source)
    (source / "notes").write_text("")
    assert now(source) == before is not None


def test_outside_a_work_tree_nobody_knows(tmp_path: Path) -> None:
    assert now(tmp_path) is None


def test_without_git_nobody_knows(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(source))
    assert now(source) is None


def test_a_release_is_its_tag(source: Path) -> None:
    found = now(source)
    assert found is not None
    assert (found.version, found.arguments) == (None, {"BUILD_REVISION": found.revision})
    git(source, "tag", "v1.4.0")
    released = now(source)
    assert released is not None
    assert released.version == "1.4.0"
    assert released.arguments == {"BUILD_REVISION": found.revision, "BUILD_VERSION": "1.4.0"}


def test_what_follows_a_release_says_how_far(source: Path) -> None:
    git(source, "tag", "v1.4.0")
    commit(source, "docs/page.md", "one")
    last = commit(source, "services/faq/app.py", "one")
    found = now(source)
    assert found is not None
    assert found.version is not None
    assert found.version.startswith("1.4.0-2-g")
    assert last.startswith(found.version.rpartition("-g")[2])


def test_other_tags_are_no_releases(source: Path) -> None:
    git(source, "tag", "nightly")
    git(source, "tag", "vnext")
    found = now(source)
    assert found is not None
    assert found.version is None
