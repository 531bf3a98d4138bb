"""An etcd and a Kubernetes API server: enough to check manifests, and the centre of a cluster."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deployment.daemon import Daemon
from deployment.installation import StackError
from deployment.kubernetes.binaries import programs, require
from deployment.ports import free_ports

SERVICES = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
NODE_ADDRESS = "10.244.0.1"
START_SECONDS = 90
# Name of a client → its user and groups, as Kubernetes' own roles expect them.
CLIENTS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kubelet": ("system:node:node1", "system:nodes"),
    "proxy": ("system:kube-proxy", ""),
}


class ApiServer:
    """etcd and kube-apiserver with their state in `folder`, on free ports; clients' kubeconfigs stand in `folder`.

    It listens on loopback, and where `for_pods` on every address, as pods reach it on their bridge.
    """

    def __init__(self, folder: Path, for_pods: bool = False):
        self.folder, self.for_pods = folder, for_pods

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "admin.conf"

    def up(self) -> None:
        """Start it and wait until it answers."""
        paths = programs("kube-apiserver", "kubectl") | require("etcd", "openssl")
        if self.daemon("api-server").pid():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ports = free_ports(("api", "etcd", "peers"))
        if not (self.folder / "ca.crt").exists():
            self._make_certificates(str(paths["openssl"]))
        self._make_clients(ports["api"])
        etcd, peers = (f"http://127.0.0.1:{ports[name]}" for name in ("etcd", "peers"))
        self.daemon("etcd").start(
            [
                str(paths["etcd"]),
                f"--data-dir={self.folder / 'etcd'}",
                f"--listen-client-urls={etcd}",
                f"--advertise-client-urls={etcd}",
                f"--listen-peer-urls={peers}",
                f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}",
                "--unsafe-no-fsync",  # nothing here has to survive the machine
            ],
            os.environ,
        )
        key, address = self.folder / "accounts.key", NODE_ADDRESS if self.for_pods else "127.0.0.1"
        self.daemon("api-server").start(
            [
                str(paths["kube-apiserver"]),
                f"--etcd-servers={etcd}",
                f"--secure-port={ports['api']}",
                f"--bind-address={'0.0.0.0' if self.for_pods else '127.0.0.1'}",
                f"--advertise-address={address}",
                "--endpoint-reconciler-type=" + ("lease" if self.for_pods else "none"),
                f"--tls-cert-file={self.folder / 'server.crt'}",
                f"--tls-private-key-file={self.folder / 'server.key'}",
                f"--client-ca-file={self.folder / 'ca.crt'}",
                f"--kubelet-client-certificate={self.folder / 'kubelet-client.crt'}",
                f"--kubelet-client-key={self.folder / 'kubelet-client.key'}",
                "--kubelet-preferred-address-types=InternalIP",
                f"--token-auth-file={self.folder / 'tokens.csv'}",
                "--authorization-mode=Node,RBAC",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}",
                f"--service-cluster-ip-range={SERVICES}",
            ],
            os.environ,
        )
        self.wait("the API server", lambda: self.kubectl("get", "--raw", "/readyz").returncode == 0, "api-server")

    def down(self) -> None:
        """Stop it."""
        for name in ("api-server", "etcd"):
            self.daemon(name).stop()

    def daemon(self, name: str) -> Daemon:
        """The server of this name."""
        return Daemon(name, self.folder)

    def kubectl(self, *arguments: str, stdin: str = "", seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """The finished `kubectl ARGUMENTS`, as administrator."""
        own = (f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.folder / 'cache'}")
        command = [str(programs("kubectl")["kubectl"]), *own, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds, check=False)

    def do(self, *arguments: str, stdin: str = "", seconds: float = 120) -> str:
        """Output of `kubectl ARGUMENTS`; StackError with its last line where it fails."""
        done = self.kubectl(*arguments, stdin=stdin, seconds=seconds)
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
            raise StackError(f"kubectl {' '.join(arguments[:4])}: must succeed; it said {said[0]}")
        return done.stdout

    def wait(self, what: str, ready: Callable[[], bool], *names: str) -> None:
        """Wait until `ready`; StackError where it takes too long or one of the named servers ends."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            gone = [name for name in names if not self.daemon(name).pid()]
            if gone or time.monotonic() > deadline:
                log = self.daemon((gone or names)[0]).log
                raise StackError(f"Kubernetes: {what} must be ready within {START_SECONDS} s; see {log}")
            time.sleep(0.5)

    def _make_certificates(self, openssl: str) -> None:
        def run(*arguments: str) -> None:
            subprocess.run([openssl, *arguments], cwd=self.folder, check=True, capture_output=True)

        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
        addresses = ["127.0.0.1", SERVICE_ADDRESS, NODE_ADDRESS]
        alternatives = ",".join([*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses)])
        fresh = ("-newkey", "rsa:2048", "-nodes", "-days", "365")
        run("req", "-x509", *fresh, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=learning-analytics-ca")
        subjects = {
            "server": ("/CN=kube-apiserver", f"subjectAltName={alternatives}"),
            "kubelet-server": ("/CN=node1", f"subjectAltName=IP:{NODE_ADDRESS}"),
            "kubelet-client": ("/CN=kube-apiserver-kubelet-client", "extendedKeyUsage=clientAuth"),
        }
        for name, (subject, extension) in subjects.items():
            run("req", *fresh[:3], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
            (self.folder / f"{name}.ext").write_text(extension)
            signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", *fresh[3:])
            run("x509", "-req", "-in", f"{name}.csr", *signed, "-extfile", f"{name}.ext", "-out", f"{name}.crt")
        run("genrsa", "-out", "accounts.key", "2048")

    def _make_clients(self, port: int) -> None:
        """Write a kubeconfig per client and the tokens that the API server knows them by."""
        tokens = {name: secrets.token_hex(16) for name in CLIENTS}
        lines = [f'{tokens[name]},{user},{name},"{groups}"\n' for name, (user, groups) in CLIENTS.items()]
        (self.folder / "tokens.csv").write_text("".join(lines))
        authority = str(self.folder / "ca.crt")
        for name, token in tokens.items():
            cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": authority}
            config = {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "local", "cluster": cluster}],
                "users": [{"name": name, "user": {"token": token}}],
                "contexts": [{"name": "local", "context": {"cluster": "local", "user": name}}],
                "current-context": "local",
            }
            (self.folder / f"{name}.conf").write_text(json.dumps(config, indent=1))
