"""Every shell script is found, by its name or its first line."""

from __future__ import annotations

import subprocess

from deployment.gate.shell_scripts import scripts


def test_scripts_are_found():
    found = scripts()
    assert ".ci/run" in found and "batch_layer/deploy_oozie.sh" in found
    assert not [name for name in found if name.endswith((".py", ".ps1"))]


def test_a_script_is_known_by_its_first_line(tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for name, text in {
        "a": "#!/bin/sh\n",
        "b": "#!/usr/bin/env bash\n",
        "c.sh": "",
        "d": "#!/usr/bin/python3\n",
    }.items():
        (tmp_path / name).write_text(text)
    assert scripts(tmp_path) == ["a", "b", "c.sh"]
