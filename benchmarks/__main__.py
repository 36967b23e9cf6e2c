"""``python -m benchmarks NAME…``: measure, print, and record for docs/benchmarks.md."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys

from benchmarks.machine import describe_machine
from benchmarks.record import ORDER, record, write_page


def main() -> int:
    """Run the benchmarks that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="+", choices=[*ORDER, "all", "page"], metavar="NAME",
                        help=f"{', '.join(ORDER)}, all; or page: make the page anew")  # fmt: skip
    parser.add_argument(
        "--record", action="store_true", help="write benchmarks/results/ and docs/benchmarks.md"
    )
    options = parser.parse_args()
    if options.names == ["page"]:
        write_page()
        return 0
    print(describe_machine(), file=sys.stderr)
    missed = False
    for name in ORDER if "all" in options.names else options.names:
        result = importlib.import_module(f"benchmarks.{name}").run()
        print(result.text() + "\n", flush=True)
        if options.record:
            record(result)
        missed |= not all(target.reached for target in result.targets)
    return int(missed)


if __name__ == "__main__":
    # So that the service under measurement is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
