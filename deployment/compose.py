"""The whole platform by Docker Compose: `python -m deployment.compose up|down|…`, as `docker-compose` in `config/`.

It starts a Docker daemon where none answers. Where the images can't be pulled, those of `make images` are built and
used.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from deployment.images import engine
from deployment.images.build import IMAGES, build
from deployment.installation import StackError
from deployment.packages import need
from deployment.pins import PINS, pins

LOCAL = ("docker-compose.yml", "docker-compose.local.yml")


def command(local: bool) -> list[str]:
    """The command line of Compose, with the files for local images or for pulled ones."""
    version = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    program = ["docker", "compose"] if version == 0 else [need("docker-compose", "docker-compose")]
    return program + [f"--file={name}" for name in (LOCAL if local else LOCAL[:1])]


def compose(*arguments: str, local: bool, environ: Mapping[str, str] | None = None, limit: float | None = None) -> str:
    """Run Compose and return what it prints on standard output; StackError where it fails."""
    found = dict(os.environ if environ is None else environ)
    done = subprocess.run(
        [*command(local), *arguments],
        cwd=PINS.parent,
        env=found,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=limit,
    )
    if done.returncode:
        raise StackError(f"compose {arguments[0]}: must succeed; got exit status {done.returncode}")
    return done.stdout


def pulled(pull: bool) -> bool:
    """Whether Kafka's image, for one, is there as its makers publish it; with `pull` it is fetched where it can be."""
    name = pins()["KAFKA_IMAGE"]
    if engine.docker("images", "-q", name).strip():
        return True
    try:
        return pull and bool(engine.docker("pull", "-q", name))
    except StackError:
        return False


def main(arguments: list[str]) -> int:
    """Run Compose over the right files; its exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    try:
        need("docker", "docker.io")
        engine.start()
        rising = arguments[0] == "up"
        local = not pulled(pull=rising)
        if local and rising:
            print("compose: images can't be pulled here, so they are built, and there is no Grafana", flush=True)
            for name in IMAGES:
                build(name)
        return subprocess.run([*command(local), *arguments], cwd=PINS.parent, check=False).returncode
    except StackError as error:
        print(f"compose: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
