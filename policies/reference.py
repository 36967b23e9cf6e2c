"""docs/policies.md, written from the rules: `python -m policies.reference [--check | --write]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from policies.pack import RULES, SUBJECTS
from policies.rule import AnyRule, ResourceRule

PAGE = Path(__file__).resolve().parent.parent / "docs" / "policies.md"
HEAD = """\
# Policies

Made by `python -m policies.reference --write`; do not edit it here.

The {count} rules of `policies/` hold for every stack. `pulumi preview --policy-pack policies` and
`pulumi up --policy-pack policies` run them in the engine; the tests run the same code on the offline
plan of every stack file. A **mandatory** rule stops the deployment, an **advisory** one warns.
Rules marked *prod* hold for stacks whose resources are tagged `environment: prod` alone. Rules on
the *stack* look at several resources together.

A rule is switched off, or to another level, in a file for `--policy-pack-config`:

```json
{{"aks-pool-zones": "disabled", "acr-retention": "mandatory"}}
```
"""


def page() -> str:
    """The text of docs/policies.md."""
    parts = [HEAD.format(count=len(RULES))]
    for subject, rules in SUBJECTS.items():
        parts.append(f"\n## {subject}\n\n")
        parts.append("| Policy | What must hold | Severity | Level | If not | Source |\n")
        parts.append("|---|---|---|---|---|---|\n")
        parts += [_row(rule) for rule in rules]
    return "".join(parts)


def _row(rule: AnyRule) -> str:
    level = str(rule.level.value)
    if rule.production_only:
        level += ", *prod*"
    if not isinstance(rule, ResourceRule):
        level += ", *stack*"
    sources = ", ".join(f"[{source.title}]({source.url})" for source in rule.sources)
    return (
        f"| `{rule.name}` | {rule.description} | {rule.severity.value} | {level} "
        f"| {rule.remediation} | {sources} |\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or say whether it is stale."""
    parser = argparse.ArgumentParser(prog="python -m policies.reference", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--write", action="store_true", help="write docs/policies.md")
    choice.add_argument("--check", action="store_true", help="fail when docs/policies.md is stale")
    options = parser.parse_args(arguments)
    if options.write:
        PAGE.write_text(page(), encoding="utf-8")
    elif options.check:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
            print(
                f"{PAGE.name} is stale: run python -m policies.reference --write", file=sys.stderr
            )
            return 1
    else:
        print(page(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
