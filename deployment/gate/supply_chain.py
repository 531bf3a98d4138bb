"""What the product is made of, and whether advisories name it: `python -m deployment.gate.supply_chain sbom|audit`.

`sbom` writes CycloneDX files to `dist/`, of the pinned Python packages and of the dashboard's from npm. `audit` asks
the advisory sources that the package managers know; where none answers it says so and fails: nothing was checked then.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from deployment.dashboard import NODE, SOURCES
from deployment.installation import CONFIG, StackError, tool
from deployment.pins import pins

ROOT = CONFIG.parent
DIST = ROOT / "dist"
REQUIREMENTS = CONFIG / "requirements.txt"
SBOMS = {"python": DIST / "sbom-python.cdx.json", "npm": DIST / "sbom-npm.cdx.json"}
LIMIT_SECONDS = 600
UNCHECKED = 3


def _run(command: Sequence[str | Path], folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False,
    )  # fmt: skip


def _own(name: str) -> Path:
    return Path(sys.executable).with_name(name)


def sbom() -> dict[str, int]:
    """Write the bills of materials; how many components each has. StackError where one can't be made."""
    DIST.mkdir(exist_ok=True)
    found = {}
    python: list[str | Path] = [
        "requirements",
        REQUIREMENTS,
        "--output-reproducible",
        "--of",
        "JSON",
        "-o",
        SBOMS["python"],
    ]
    done = _run([_own("cyclonedx-py"), *python])
    if done.returncode:
        raise StackError(f"sbom: cyclonedx-py must succeed; got {done.stderr.strip()[-300:]}")
    npm = [tool("npm", NODE), "sbom", "--package-lock-only", "--sbom-format=cyclonedx", "--sbom-type=application"]
    with TemporaryDirectory() as folder:  # npm names what has a version alone, and the dashboard's is the platform's
        for file in ("package.json", "package-lock.json"):
            told = json.loads((SOURCES / file).read_text(encoding="utf-8")) | {"version": pins()["PLATFORM_VERSION"]}
            told.get("packages", {}).get("", {})["version"] = told["version"]
            (Path(folder) / file).write_text(json.dumps(told), encoding="utf-8")
        done = _run(npm, Path(folder))
    if done.returncode:
        raise StackError(f"sbom: npm must succeed; got {done.stderr.strip()[-300:]}")
    SBOMS["npm"].write_text(done.stdout, encoding="utf-8")
    for name, bill in SBOMS.items():
        found[name] = len(json.loads(bill.read_text(encoding="utf-8"))["components"])
    return found


def audit() -> dict[str, str]:
    """What the advisory sources say: `clean`, `unchecked: …` or the advisories, for Python and for npm."""
    done = _run(
        [
            sys.executable,
            "-m",
            "pip_audit",
            "-r",
            REQUIREMENTS,
            "--disable-pip",
            "--require-hashes",
            "--progress-spinner=off",
            "-f",
            "json",
        ]
    )
    found = {"python": _python(done)}
    done = _run([tool("npm", NODE), "audit", "--package-lock-only", "--json"], SOURCES)
    found["npm"] = _npm(done)
    return found


def _python(done: subprocess.CompletedProcess[str]) -> str:
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return f"unchecked: {' '.join(done.stderr.split())[-200:]}"
    skipped = [p["name"] for p in packages if "skip_reason" in p]
    named = [f"{p['name']} {p['version']}: {v['id']}" for p in packages for v in p.get("vulns", ())]
    if skipped and len(skipped) == len(packages):
        return "unchecked: no source knows the packages"
    return "; ".join(named) or "clean"


def _npm(done: subprocess.CompletedProcess[str]) -> str:
    try:
        told = json.loads(done.stdout)
        found = told["vulnerabilities"]
    except (ValueError, KeyError):
        return f"unchecked: {' '.join((done.stdout + done.stderr).split())[-200:]}"
    return "; ".join(f"{name}: {entry['severity']}" for name, entry in sorted(found.items())) or "clean"


def main(arguments: list[str]) -> int:
    """Do what is asked; 1 where something is wrong, 3 where nothing could be checked."""
    if arguments not in (["sbom"], ["audit"]):
        print("supply_chain: what to do must be sbom or audit", file=sys.stderr)
        return 2
    try:
        if arguments == ["sbom"]:
            for name, count in sbom().items():
                print(f"{SBOMS[name].relative_to(ROOT)}: {count} components")
            return 0
        found = audit()
    except StackError as error:
        print(f"supply_chain: {error}", file=sys.stderr)
        return 1
    for name, told in found.items():
        print(f"audit of {name}: {told}")
    if any(told.startswith("unchecked") for told in found.values()):
        print("audit: no advisory source answers for all of it; this says nothing about what it names", file=sys.stderr)
        return UNCHECKED
    return int(any(told != "clean" for told in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
