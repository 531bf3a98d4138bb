"""The one node of a local cluster: containerd, kubelet, kube-proxy, controllers and scheduler beside the API server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from deployment.installation import StackError
from deployment.kubernetes.api_server import NODE_ADDRESS, ApiServer
from deployment.kubernetes.binaries import NODE, programs, require
from deployment.kubernetes.images import archive

NAME = "node1"
PODS = "10.244.0.0/24"
BRIDGE = "la-pods"
DNS_ADDRESS = "10.96.0.10"
PAUSE = "local/pause:1"
VOLUMES = 6
ADDONS = Path(__file__).with_name("addons.yaml")
CONTAINERD = """\
version = 2
root = "{folder}/images"
state = "{folder}/containers"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{folder}/network"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
"""
# `firewall` lets pods' traffic through where another program, such as Docker, has closed forwarding.
NETWORK = {
    "cniVersion": "0.4.0",
    "name": "pods",
    "plugins": [
        {
            "type": "bridge",
            "bridge": BRIDGE,
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": {"type": "host-local", "subnet": PODS, "routes": [{"dst": "0.0.0.0/0"}]},
        },
        {"type": "firewall", "backend": "iptables"},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}
SERVERS = ("proxy", "kubelet", "scheduler", "controller-manager")


class Cluster(ApiServer):
    """A cluster of one node with its state in `folder`; needs root."""

    def __init__(self, folder: Path):
        super().__init__(folder, for_pods=True)

    def up(self) -> None:
        """Start what doesn't run and wait until the node, DNS and volumes are ready."""
        if os.geteuid():
            raise StackError("Kubernetes: a cluster must be started by root, as it makes network devices and mounts")
        paths = programs(*NODE, "coredns", "pause") | require(
            "containerd", "ctr", "runc", "conntrack", "iptables", "ip"
        )
        require("/usr/lib/cni/bridge")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._make_bridge()
        self._start_containerd(str(paths["containerd"]))
        super().up()
        folder = self.folder

        def conf(name: str) -> str:
            return f"--kubeconfig={folder / f'{name}.conf'}"

        self._start(
            "controller-manager",
            str(paths["kube-controller-manager"]),
            conf("controller-manager"),
            f"--service-account-private-key-file={folder / 'accounts.key'}",
            f"--root-ca-file={folder / 'ca.crt'}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        )
        self._start(
            "scheduler",
            str(paths["kube-scheduler"]),
            conf("scheduler"),
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        )
        (folder / "kubelet.json").write_text(json.dumps(self._kubelet_config(), indent=1))
        self._start(
            "kubelet",
            str(paths["kubelet"]),
            conf("kubelet"),
            f"--config={folder / 'kubelet.json'}",
            f"--root-dir={folder / 'kubelet'}",
            f"--hostname-override={NAME}",
            f"--node-ip={NODE_ADDRESS}",
        )
        self._start(
            "proxy",
            str(paths["kube-proxy"]),
            conf("proxy"),
            f"--hostname-override={NAME}",
            "--cluster-cidr=" + PODS,
            "--conntrack-max-per-core=0",
            "--metrics-bind-address=127.0.0.1:10249",
            "--healthz-bind-address=127.0.0.1:10256",
        )
        self.wait("the node", self._node_is_ready, "kubelet", "containerd")
        self._make_volumes()
        self.do("apply", "-f", str(ADDONS))
        self.do("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=90s", seconds=120)

    def down(self) -> None:
        """Stop the servers and every pod, and take the network device and mounts away; images and volumes stay."""
        for name in SERVERS:
            self.daemon(name).stop()
        if self.daemon("containerd").pid():
            for line in self.containers("tasks", "ls").splitlines()[1:]:
                self._quietly("tasks", "rm", "-f", line.split()[0])
            for line in self.containers("containers", "ls").splitlines()[1:]:
                self._quietly("containers", "rm", line.split()[0])
        self.daemon("containerd").stop()
        super().down()
        own = f"{self.folder}/"
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((m for m in mounts if m.startswith(own)), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
        subprocess.run([str(programs("kube-proxy")["kube-proxy"]), "--cleanup"], check=False, capture_output=True)
        for words in (
            "iptables -D INPUT -j KUBE-FIREWALL",
            "iptables -D OUTPUT -j KUBE-FIREWALL",
            f"ip link delete {BRIDGE}",
        ):
            subprocess.run(words.split(), check=False, capture_output=True)

    def load(self, image: Path) -> None:
        """Import an image's archive, as `docker save` writes it."""
        self.containers("images", "import", str(image), seconds=600)

    def containers(self, *arguments: str, seconds: float = 120) -> str:
        """Output of containerd's `ctr ARGUMENTS` for Kubernetes' containers; StackError where it fails."""
        done = self._ctr(*arguments, seconds=seconds)
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
            raise StackError(f"ctr {' '.join(arguments)}: must succeed; it said {said[0]}")
        return done.stdout

    def _quietly(self, *arguments: str) -> None:
        self._ctr(*arguments, seconds=60)  # a container may be gone by then

    def _ctr(self, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        command = ["ctr", f"--address={self.folder / 'containerd.sock'}", "--namespace=k8s.io", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)

    def _start(self, name: str, *command: str) -> None:
        self.daemon(name).start(command, os.environ)

    def _make_bridge(self) -> None:
        if not Path(f"/sys/class/net/{BRIDGE}").exists():
            for words in (
                f"link add {BRIDGE} type bridge",
                f"addr add {NODE_ADDRESS}/24 dev {BRIDGE}",
                f"link set {BRIDGE} up",
            ):
                subprocess.run(["ip", *words.split()], check=True, capture_output=True)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

    def _start_containerd(self, program: str) -> None:
        network = self.folder / "network"
        network.mkdir(exist_ok=True)
        (network / "10-pods.conflist").write_text(json.dumps(NETWORK, indent=1))
        config = self.folder / "containerd.toml"
        config.write_text(CONTAINERD.format(folder=self.folder, pause=PAUSE))
        self._start("containerd", program, "--config", str(config))
        self.wait("containerd", lambda: not self._ctr("version", seconds=10).returncode, "containerd")
        for name, tag in (("pause", PAUSE), ("coredns", "local/coredns:1")):
            if tag not in self.containers("images", "ls", "-q"):
                written = archive(programs(name)[name], tag, self.folder / f"{name}.tar")
                self.load(written)
                written.unlink()

    def _kubelet_config(self) -> dict[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": NODE_ADDRESS,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": False},
                "x509": {"clientCAFile": str(self.folder / "ca.crt")},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "tlsCertFile": str(self.folder / "kubelet-server.crt"),
            "tlsPrivateKeyFile": str(self.folder / "kubelet-server.key"),
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "clusterDNS": [DNS_ADDRESS],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": f"unix://{self.folder / 'containerd.sock'}",
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            # What no pod uses on a full disk is kept all the same: there is no registry to have images from again.
            "imageGCHighThresholdPercent": 100,
            "resolvConf": "/etc/resolv.conf",
            "registryPullQPS": 0,
        }

    def _node_is_ready(self) -> bool:
        ready = '{.status.conditions[?(@.type=="Ready")].status}'
        return self.kubectl("get", "node", NAME, "-o", f"jsonpath={ready}").stdout == "True"

    def _make_volumes(self) -> None:
        """Local volumes of the class `standard`, as nothing here makes volumes on demand."""
        hosts = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}]}]
        volumes = []
        for number in range(VOLUMES):
            path = self.folder / "volumes" / f"{number}"
            path.mkdir(parents=True, exist_ok=True)
            volumes.append(
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolume",
                    "metadata": {"name": f"local-{number}"},
                    "spec": {
                        "capacity": {"storage": "20Gi"},
                        "accessModes": ["ReadWriteOnce"],
                        "storageClassName": "standard",
                        "persistentVolumeReclaimPolicy": "Retain",
                        "local": {"path": str(path)},
                        "nodeAffinity": {"required": {"nodeSelectorTerms": hosts}},
                    },
                }
            )
        self.do("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": volumes}))
