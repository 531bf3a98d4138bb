"""Serve the query API: `python serving_layer/serving_layer.py [--host HOST] [--port PORT]`; its page is at `/docs`."""

import os
import sys

if __name__ == "__main__":
    # By its path a script has its folder first in what it imports from, where this file hides the package of its name:
    # so the same process goes on as the package's module, without the folder (-P).
    os.execv(sys.executable, [sys.executable, "-P", "-m", "serving_layer.server", *sys.argv[1:]])
