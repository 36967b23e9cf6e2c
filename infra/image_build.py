"""`python -m infra.image_build STACK WORKLOAD`: how a stack's image is built, for CI that builds it.

Prints the Dockerfile's target and the build arguments as a GitHub Actions step writes outputs, so
that CI builds the very image that `images: build` would.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from infra.image_source import image_source
from infra.images import BuildSpec, build_spec, repository, stamped
from infra.planning.stacks import StackRefused, read_stack
from infra.workload import WORKLOADS

PROGRAM = "python -m infra.image_build"
DELIMITER = "END_OF_ARGUMENTS"


def outputs(spec: BuildSpec, pushed_to: str) -> str:
    """``repository=…``, ``target=…`` and the arguments, one a line between delimiters."""
    arguments = "".join(f"{key}={value}\n" for key, value in spec.arguments.items())
    names = f"repository={pushed_to}\ntarget={spec.target or ''}\n"
    return f"{names}arguments<<{DELIMITER}\n{arguments}{DELIMITER}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("stack", help="a stack's name, or the path of a settings file")
    parser.add_argument("workload", choices=WORKLOADS)
    asked = parser.parse_args(arguments)
    try:
        _, settings = read_stack(asked.stack, program=PROGRAM)
    except StackRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    spec = stamped(build_spec(settings, asked.workload), image_source(asked.workload))
    sys.stdout.write(outputs(spec, repository(settings, asked.workload)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
