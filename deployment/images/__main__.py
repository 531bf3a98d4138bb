"""The platform's images without a registry: `python -m deployment.images build [NAME …]`.

`build` makes all images, or the named ones, and starts a Docker daemon where none answers; `stop` stops that daemon.
"""

from __future__ import annotations

import sys
import time

from deployment.images import engine
from deployment.images.build import IMAGES, build
from deployment.installation import StackError
from deployment.pins import image
from runtime.command_line import Parser


def main(argv: list[str] | None = None) -> int:
    """Build images, start or stop the daemon; 0 when it is as asked."""
    parser = Parser(prog="images", description=__doc__)
    parser.add_argument("action", choices=("build", "start", "stop"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(IMAGES)}; default all")
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in IMAGES]
    if unknown:
        parser.error(f"NAME must be of {', '.join(IMAGES)}; got '{unknown[0]}'")
    try:
        if options.action == "stop":
            print("Docker: stopped" if engine.stop() else "Docker: no daemon was started here")
            return 0
        engine.start()
        if options.action == "build":
            for name in options.names or IMAGES:
                started = time.monotonic()
                built = build(name)
                print(
                    f"{image(name)}: {'built' if built else 'there'} ({time.monotonic() - started:.1f} s)", flush=True
                )
    except StackError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
