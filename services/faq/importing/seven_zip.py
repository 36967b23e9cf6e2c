"""Members of 7z archives, handed on while they are decompressed (by py7zr)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from services.faq.records import DataError

_ABSENT: Final = "7z archives need py7zr: pip install -r services/faq/requirements-import.txt"


def member_names(path: Path) -> list[str]:
    """Return the names of an archive's files.

    Raises:
        DataError: it is not a 7z archive, or is damaged, cut off or encrypted.
    """
    with path.open("rb") as raw:
        try:
            with _open(raw) as archive:
                return [entry.filename for entry in archive.list() if not entry.is_directory]
        except DataError as error:
            raise DataError(f"{path}: {error}") from None


def extract_member(raw: IO[bytes], member: str, sink: Callable[[bytes], None]) -> None:
    """Decompress one member into `sink`, in pieces of at most 128 MB, and check its checksum.

    Raises:
        DataError: the archive is damaged, cut off or encrypted; the message names no file.
    """
    from py7zr.exceptions import ArchiveError, PasswordRequired
    from py7zr.io import Py7zIO, WriterFactory

    class Sink(Py7zIO):
        def write(self, s: bytes | bytearray) -> int:
            sink(bytes(s))
            return len(s)

        def read(self, size: int | None = None) -> bytes:  # noqa: ARG002
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:  # noqa: ARG002
            return 0

        def flush(self) -> None:
            """Nothing is kept back."""

        def size(self) -> int:
            return 0

    class Sinks(WriterFactory):
        def create(self, filename: str) -> Py7zIO:  # noqa: ARG002
            return Sink()

    with _open(raw) as archive:
        try:
            archive.extract(targets=[member], factory=Sinks())
        except PasswordRequired:
            raise DataError("is encrypted") from None
        except ArchiveError as error:
            raise DataError(f"is damaged ({type(error).__name__})") from None


def _open(raw: IO[bytes]) -> Any:
    try:
        import py7zr
        from py7zr.exceptions import PasswordRequired
    except ImportError:
        raise DataError(_ABSENT) from None
    try:
        return py7zr.SevenZipFile(raw)
    except PasswordRequired:
        raise DataError("is encrypted") from None
    except Exception:  # noqa: BLE001 - its parser of headers raises almost anything
        raise DataError("is not a 7z archive, or is damaged or not complete") from None
