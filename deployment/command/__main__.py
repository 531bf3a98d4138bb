"""`python -m deployment.command`: the command `learn` where the project isn't installed, as on a node of Oozie's."""

from __future__ import annotations

import sys

from deployment.command.learn import main

sys.exit(main())
