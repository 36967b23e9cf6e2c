"""`python -m infra.image_build STACK WORKLOAD`: how a stack's image is built, for CI that builds it.

Prints the Dockerfile's target and the build arguments as a GitHub Actions step writes outputs, so
that CI builds the very image that `images: build` would.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from infra.images import BuildSpec, build_spec
from infra.mistakes import SettingsRefused
from infra.planning.stacks import UnknownStack, find_stack
from infra.stack_file import read_stack_file
from infra.workload import WORKLOADS

DELIMITER = "END_OF_ARGUMENTS"


def outputs(spec: BuildSpec) -> str:
    """``target=…`` and the arguments, one a line between delimiters."""
    arguments = "".join(f"{key}={value}\n" for key, value in spec.arguments.items())
    return f"target={spec.target or ''}\narguments<<{DELIMITER}\n{arguments}{DELIMITER}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="infra.image_build", description=__doc__)
    parser.add_argument("stack", help="a stack's name, or the path of a settings file")
    parser.add_argument("workload", choices=WORKLOADS)
    asked = parser.parse_args(arguments)
    try:
        path = find_stack(asked.stack).path
        sys.stdout.write(outputs(build_spec(read_stack_file(path), asked.workload)))
    except (UnknownStack, SettingsRefused) as refused:
        sys.stderr.write("".join(f"{asked.stack}: {line}\n" for line in str(refused).splitlines()))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
