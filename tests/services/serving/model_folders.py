"""Model folders of the lever service, and another one put in a folder's place."""

from __future__ import annotations

from pathlib import Path

from services.serving.model_folder import new_model_folder


def write_model(folder: Path, version: str, content: str = "content") -> None:
    """Write a model, or put it in the place of the one that is there."""
    with new_model_folder(folder, kind="lever", name="lever", version=version) as draft:
        (draft.folder / "weights").write_text(content)


def spoil(folder: Path) -> None:
    """Change a file behind the manifest's back, and the manifest's time with it."""
    (folder / "weights").write_text("other content")
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
