"""Finding Posts.xml, PostLinks.xml and Users.xml of a dump, compressed or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.faq.importing.byte_stream import DumpFile
from services.faq.importing.seven_zip import member_names
from services.faq.records import DataError


@dataclass(frozen=True)
class DumpFiles:
    """The files of a dump that are read."""

    links: DumpFile
    posts: DumpFile
    users: DumpFile | None
    """Names of the authors; their numbers and addresses are known without it."""

    def all(self) -> tuple[DumpFile, ...]:
        """Every file that is there."""
        return tuple(file for file in (self.links, self.posts, self.users) if file)


def find_dump(path: Path, host: str) -> DumpFiles:
    """Find the files in a folder, or in one archive that holds them all.

    Args:
        path: `Posts.xml` may be there as such, as `Posts.xml.bz2`, `Posts.xml.gz`, in `Posts.7z`,
            `{host}-Posts.7z` or `{host}.7z`; the other two likewise; or one 7z archive.
        host: the site's host, as in the names of archive.org's files.

    Raises:
        DataError: one that is needed is not there, or an archive cannot be opened.
    """
    if not path.exists():
        raise DataError(f"{path}: is missing")
    posts, links = _needed(path, host, "Posts"), _needed(path, host, "PostLinks")
    return DumpFiles(links, posts, _find(path, host, "Users"))


def _needed(path: Path, host: str, name: str) -> DumpFile:
    if found := _find(path, host, name):
        return found
    raise DataError(
        f"{path}: holds no {name}.xml, nor {name}.xml.bz2, {name}.xml.gz, {name}.7z, "
        f"{host}-{name}.7z or {host}.7z; give the folder or archive of a Stack Exchange dump"
    )


def _find(path: Path, host: str, name: str) -> DumpFile | None:
    if path.is_file():
        return _member(path, name) if path.suffix.lower() == ".7z" else None
    present = {each.name.lower(): each for each in sorted(path.iterdir()) if each.is_file()}
    plain = f"{name}.xml"
    for candidate in (plain, f"{plain}.bz2", f"{plain}.gz", f"{host}-{plain}.bz2"):
        if found := present.get(candidate.lower()):
            return DumpFile(found)
    for candidate in (f"{name}.7z", f"{host}-{name}.7z", f"{host}.7z"):
        if (archive := present.get(candidate.lower())) and (found := _member(archive, name)):
            return found
    return None


def _member(archive: Path, name: str) -> DumpFile | None:
    for member in member_names(archive):
        if member.rpartition("/")[2].lower() == f"{name}.xml".lower():
            return DumpFile(archive, member)
    return None
