"""Command lines that say in one line what is wrong."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, `<program>: <what is wrong>`, and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Complain and leave."""
        print(f"{self.prog.removesuffix('.py')}: {message}", file=sys.stderr)
        sys.exit(2)
