"""The catalogue's SQL held to `.sqlfluff`: `python -m tests.structure.sql_style` tells every line that breaks a rule.

Rollups are read as what they make (`roll_up`), views and windows as they are written. Exit status 1 where anything is
found.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sqlfluff.core import FluffConfig, Linter

from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.windows import WINDOW_ROLLUPS, WINDOWS

ROOT = Path(__file__).resolve().parents[2]


def texts() -> dict[str, str]:
    """Every SQL text that the catalogue declares, by what it is of."""
    rollups = {f"rollup '{r.name}'": r.roll_up("events") for r in (*ROLLUPS.values(), *WINDOW_ROLLUPS.values())}
    views = {f"view '{v.name}'": v.sql for v in VIEWS.values()}
    return rollups | views | {f"window '{w.name}'": w.sql for w in WINDOWS.values()}


def complaints(sql: dict[str, str]) -> list[str]:
    """What breaks a rule, a line each: `view 'x': line 3 must keep LT05: …; got '…'`."""
    linter = Linter(config=FluffConfig.from_path(str(ROOT)))
    found = []
    for who, text in sql.items():
        lines = text.strip().splitlines()
        for broken in linter.lint_string("\n".join(lines) + "\n").get_violations():
            got = lines[broken.line_no - 1].strip() if broken.line_no <= len(lines) else ""
            found.append(f"{who}: line {broken.line_no} must keep {broken.rule_code()}: {broken.desc()}; got '{got}'")
    return found


def main() -> int:
    """Tell every complaint."""
    found = complaints(texts())
    print("\n".join(found) or f"{len(texts())} SQL texts are as they must be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
