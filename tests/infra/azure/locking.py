"""A component and the locks that a whole stack would put on what it keeps."""

from __future__ import annotations

from collections.abc import Callable

from infra.azure.place import Place
from infra.recording import Recording, record_component


def record_with_locks(place: Place, build: Callable[[], object]) -> Recording:
    """What a function declares in a place, and then the locks, as the program does last of all."""

    def program() -> None:
        build()
        place.locks.declare()

    return record_component(program)
