"""The project as something that is installed: each checkout's environment, and the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deployment.environment import ROOT, own, shared


def told(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """An environment of this checkout in a folder of its own, over the machine's packages."""
    return own(shared(), tmp_path_factory.mktemp("environment") / "env")


def test_its_python_imports_this_checkout_and_the_shared_packages(environment, tmp_path):
    code = "import runtime, duckdb, sys; print(runtime.__file__, duckdb.__file__, sys.prefix, sep='\\n')"
    project, packages, prefix = told(environment / "bin" / "python", "-c", code, cwd=tmp_path).splitlines()
    assert Path(project).parents[1] == ROOT
    assert shared() in Path(packages).parents
    assert Path(prefix) == environment


def test_its_programs_run_its_python(environment, tmp_path):
    (tmp_path / "test_prefix.py").write_text("import sys\ndef test_it(): print(f'[{sys.prefix}]')\n")
    assert f"[{environment}]" in told(environment / "bin" / "pytest", "-q", "-s", "test_prefix.py", cwd=tmp_path)
    active = f"PATH={environment}/bin:$PATH; spark-submit --version 2>&1"
    assert "version 4" in told("sh", "-c", active, cwd=tmp_path)


def test_it_is_made_once_and_anew_where_it_was_made_for_another_place(environment):
    stamp = environment / ".ready"
    made = stamp.stat().st_mtime_ns
    own(shared(), environment)
    assert stamp.stat().st_mtime_ns == made
    stamp.write_text(stamp.read_text().replace(str(environment), "/elsewhere"))
    own(shared(), environment)
    assert str(environment) in stamp.read_text().splitlines()


def test_the_wheel_has_every_package_and_the_defaults(tmp_path):
    """Elsewhere than in a checkout the settings are the same ones."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    told(*command, cwd=tmp_path)
    (wheel,) = tmp_path.glob("learning_analytics-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    packages = {f.name for f in ROOT.iterdir() if (f / "__init__.py").exists()} - {"tests"}
    found = {f.parent.name for f in (tmp_path / "site").glob("*/__init__.py")}
    assert found == packages
    code = "from runtime.settings import DEFAULTS, Settings; print(DEFAULTS); print(Settings.load({}))"
    environ_free = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {code}"]
    place, settings = told(*environ_free, cwd=tmp_path).splitlines()
    assert Path(place) == tmp_path / "site" / "runtime" / "defaults.env"
    here = "from runtime.settings import Settings; print(Settings.load({}))"
    assert settings == told(sys.executable, "-c", here, cwd=ROOT)
