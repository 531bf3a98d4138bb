"""A process in the background is known by its id and by when it began."""

import os
import sys

from deployment.daemon import Daemon


def test_another_process_with_the_old_id_is_not_it(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path)]
    first, second = Daemon("first", tmp_path), Daemon("second", tmp_path)
    try:
        first.start(command, os.environ)
        pid = first.pid()
        first.start(command, os.environ)
        assert pid and first.pid() == pid, "a second start changes nothing"
        began = (tmp_path / "first.pid").read_text().split()[1]
        (tmp_path / "second.pid").write_text(f"{pid} {int(began) - 1}")
        assert second.pid() is None, "of a container before this one"
    finally:
        first.stop()
    assert first.pid() is None
