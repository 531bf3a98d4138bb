"""A Kubernetes of one node on this machine: `python -m deployment.kubernetes.cluster up|status|load|down`.

Its state stands under `.local/kube`; `kubectl --kubeconfig .local/kube/admin.conf` speaks to it. `load IMAGE …` brings
images in from Docker, as no registry is needed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from deployment.installation import StackError
from deployment.kubernetes.node import SERVERS, Cluster
from deployment.local_stack import ROOT
from runtime.command_line import Parser


def load_from_docker(cluster: Cluster, *images: str) -> None:
    """Bring images into the cluster from Docker; raises StackError."""
    with tempfile.TemporaryDirectory(dir=cluster.folder) as folder:
        archive = Path(folder) / "images.tar"
        done = subprocess.run(
            ["docker", "save", "-o", str(archive), *images], capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode:
            raise StackError(f"docker save: must succeed for {', '.join(images)}; it said {done.stderr.strip()}")
        cluster.load(archive)


def main(argv: list[str] | None = None) -> int:
    """Start, fill, check or stop the cluster; 0 when it is as asked."""
    parser = Parser(prog="kubernetes.cluster", description=__doc__)
    parser.add_argument("action", choices=("up", "status", "load", "down"))
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="for load: names that Docker knows")
    parser.add_argument("--data", type=Path, default=ROOT / ".local" / "kube", help="folder of the cluster's state")
    options = parser.parse_intermixed_args(argv)
    cluster = Cluster(options.data.resolve())
    try:
        if options.action == "up":
            cluster.up()
        if options.action == "load":
            load_from_docker(cluster, *options.images)
        if options.action == "down":
            cluster.down()
            return 0
    except (StackError, OSError) as error:
        print(f"kubernetes: {error}", file=sys.stderr)
        return 1
    running = True
    for name in ("etcd", "api-server", "containerd", *reversed(SERVERS)):
        pid = cluster.daemon(name).pid()
        print(f"{name}: {f'process {pid}' if pid else 'stopped'}")
        running = running and pid is not None
    print(f"kubectl --kubeconfig {cluster.kubeconfig}")
    return 0 if running else 1


if __name__ == "__main__":
    sys.exit(main())
