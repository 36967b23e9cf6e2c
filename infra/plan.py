"""`python -m infra.plan`: what `pulumi up` would declare, without engine, cloud or network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infra.planning.stacks import StackFile, StackRefused, read_stack, record_stack
from infra.standard_output import BOLD, forget_the_reader, print_json, screen
from infra.written_file import write_file

if TYPE_CHECKING:
    from infra.recording import Recording

PROGRAM = "python -m infra.plan"
REFUSED = 1
INTERRUPTED = 130
READER_GONE = 141


class PlanFailed(Exception):
    """There is no plan; the message has one line a reason."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the plan that the arguments ask for; returns the exit status."""
    flags = _parser().parse_args(argv)
    try:
        _run(flags)
        sys.stdout.flush()
    except (StackRefused, PlanFailed) as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        forget_the_reader()
        return READER_GONE
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Show what `pulumi up` would declare, without engine, cloud or network.",
        epilog="What only a real run knows is shown as <output of URN.property>, a secret as "
        "<secret>. Exit status: 0, 1 for settings or a stack that cannot be planned, 2 for wrong "
        "flags.",
    )
    parser.add_argument(
        "stack", metavar="STACK", help="a stack's name (Pulumi.NAME.yaml), or a settings file"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="every resource with all inputs and options, as JSON"
    )
    form.add_argument(
        "--manifests",
        metavar="DIR",
        type=Path,
        help="write the Kubernetes objects to a folder, one YAML file each",
    )
    form.add_argument(
        "--picture", metavar="FILE", type=Path, help="draw the architecture, as SVG, into a file"
    )
    form.add_argument(
        "--diff",
        metavar="OTHER",
        help="what another stack or settings file has more (+), less (-) and otherwise (~), both "
        "planned under the name of STACK",
    )
    return parser


def _run(flags: argparse.Namespace) -> None:
    stack, settings = read_stack(flags.stack, program=PROGRAM)
    # Both are read before either is recorded, which takes seconds.
    other = read_stack(flags.diff, program=PROGRAM) if flags.diff else None
    recording = record_stack(stack, settings)
    if other:
        _print_difference(stack, recording, other[0], record_stack(*other, name=stack.stack))
    elif flags.json:
        _print_json(recording)
    elif flags.manifests:
        _write_manifests(stack, recording, flags.manifests)
    elif flags.picture:
        _draw(stack, recording, flags.picture)
    else:
        _print_tree(stack, recording)


def _print_json(recording: Recording) -> None:
    from infra.planning.document import document

    print_json(document(recording.resources))


def _write_manifests(stack: StackFile, recording: Recording, folder: Path) -> None:
    from infra.planning.manifests import FolderTaken, write_manifests

    try:
        number = write_manifests(recording.resources, folder, stack.stack)
    except FolderTaken as taken:
        raise PlanFailed(f"{PROGRAM}: {taken}") from None
    except OSError as error:
        raise PlanFailed(f"{PROGRAM}: {folder}: {error.strerror or error}") from None
    print(f"{number} Kubernetes objects written to {folder}")


def _draw(stack: StackFile, recording: Recording, file: Path) -> None:
    from infra.planning.drawing import svg
    from infra.planning.picture import picture

    try:
        write_file(file, svg(picture(recording), f"The stack {stack.stack}"))
    except OSError as error:
        raise PlanFailed(f"{PROGRAM}: {file}: {error.strerror or error}") from None
    print(f"drawn into {file}")


def _print_difference(
    stack: StackFile, recording: Recording, other: StackFile, other_recording: Recording
) -> None:
    from infra.planning.differences import differences

    print(f"- {stack.shown}\n+ {other.shown}\n")
    lines = differences(recording.resources, other_recording.resources)
    _print_lines(lines or ["No differences."])


def _print_tree(stack: StackFile, recording: Recording) -> None:
    from infra.planning.tree import counts, stack_outputs, tree

    paper = screen()
    print(paper.styled(BOLD, f"{stack.stack} ({stack.shown})"))
    parts: tuple[Callable[[], Iterable[str]], ...] = (
        lambda: tree(recording.resources, paper),
        lambda: counts(recording.resources, paper),
        lambda: stack_outputs(recording.outputs, paper),
    )
    for part in parts:
        _print_lines(part())
        print()


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


if __name__ == "__main__":
    sys.exit(main())
