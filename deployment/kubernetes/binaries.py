"""Kubernetes' own programs, compiled from their Go modules once per machine, and the Debian packages beside them."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from deployment.installation import CONFIG, StackError, one_at_a_time, run, tool
from deployment.packages import need
from runtime.settings import cache_folder

MODULE = CONFIG / "kubernetes"
COREDNS = "github.com/coredns/coredns@v1.12.4"
CONTROL_PLANE = ("kube-apiserver", "kubectl")
NODE = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
# Program → Debian package.
PACKAGES = {
    "etcd": "etcd-server",
    "openssl": "openssl",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "conntrack": "conntrack",
    "iptables": "iptables",
    "ip": "iproute2",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}


def version() -> str:
    """Kubernetes' version as `go.mod` pins it."""
    found = re.search(r"^require k8s\.io/kubernetes (v[\d.]+)$", (MODULE / "go.mod").read_text(), re.M)
    if not found:
        raise StackError(f"Kubernetes: {MODULE / 'go.mod'} must require k8s.io/kubernetes at a version")
    return found[1]


def programs(*names: str) -> dict[str, Path]:
    """Path of each of Kubernetes' programs, `coredns` or `pause`; what is missing is compiled, all in one go."""
    folder = cache_folder() / "kube" / version()
    with one_at_a_time("kube"):
        missing = [name for name in names if not (folder / name).exists()]
        if missing:
            go = tool("go", "Go 1.24 or later")
            print(f"Kubernetes: compiling {', '.join(missing)}, once per machine (up to 12 minutes)", flush=True)
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as made:  # on the same disk, so that a program appears whole
                _compile(go, missing, Path(made))
                for name in missing:
                    (Path(made) / name).rename(folder / name)
    return {name: folder / name for name in names}


def _compile(go: str, names: list[str], target: Path) -> None:
    number = version()
    _, minor, _ = number.split(".")
    stamp = "k8s.io/component-base/version.git"
    flags = f"-s -w -X {stamp}Version={number} -X {stamp}Major=1 -X {stamp}Minor={minor}"
    environ = os.environ | {"CGO_ENABLED": "0", "GOBIN": str(target)}
    own = [f"k8s.io/kubernetes/cmd/{name}" for name in names if name not in ("coredns", "pause")]
    own += ["./pause"] if "pause" in names else []
    if own:
        run([go, "build", "-trimpath", "-ldflags", flags, "-o", f"{target}/", *own], "Kubernetes", environ, MODULE)
    if "coredns" in names:
        run([go, "install", "-trimpath", "-ldflags", "-s -w", COREDNS], "Kubernetes", environ, MODULE)


def require(*names: str) -> dict[str, str]:
    """Path of each of these programs of `PACKAGES`, whose package is installed where it is missing."""
    return {name: need(name, PACKAGES[name]) for name in names}


if __name__ == "__main__":
    for program in programs(*CONTROL_PLANE, *NODE, "coredns", "pause").values():
        print(program)
