"""``python -m services.serving keys …``: the command line for the API keys of every service."""

from __future__ import annotations

import sys

from services.serving.command_line import main
from services.serving.key_commands import KEY_COMMANDS


def run(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name and return the exit status."""
    if arguments[:1] == ["keys"]:
        return main(
            "services.serving keys", "The API keys of a service.", KEY_COMMANDS, arguments[1:]
        )
    help_asked = arguments[:1] in (["-h"], ["--help"])
    print(
        "usage: services.serving keys {add,list,remove} …",
        file=sys.stdout if help_asked else sys.stderr,
    )
    return 0 if help_asked else 2


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
