"""Log lines as programs read them."""

import json
import logging
import re

import pytest

from runtime.logs import Log, configure
from runtime.settings import Settings, SettingsError

LOG = Log("somebody")


@pytest.fixture(autouse=True)
def as_before():
    yield
    configure(Settings.load({}))


def test_logfmt(capsys):
    configure(Settings.load({}))
    LOG.info("published a delta", delta=7, events=1000, seconds=0.25, error='said "no"\nand left', empty="")
    line = capsys.readouterr().err
    assert re.sub(r"time=\S+Z ", "", line) == (
        'level=info process=somebody msg="published a delta" delta=7 events=1000 seconds=0.250 '
        'error="said \\"no\\"\\nand left" empty=""\n'
    )


def test_json_says_the_same(capsys):
    configure(Settings.load({"LOG_FORMAT": "json"}))
    LOG.warning("tries again", error="späť\n", wait_seconds=2.0)
    line = json.loads(capsys.readouterr().err)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning", "process": "somebody", "msg": "tries again", "error": "späť\n", "wait_seconds": 2.0,
    }  # fmt: skip


def test_level(capsys):
    configure(Settings.load({"LOG_LEVEL": "WARNING"}))
    LOG.info("not told")
    LOG.error("told")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_traceback_is_one_line(capsys):
    configure(Settings.load({}))
    try:
        raise ValueError("oh")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("in a request")
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "process=uvicorn.error" in line and "ValueError: oh" in line


def test_a_wrong_format_is_named():
    with pytest.raises(SettingsError, match="LOG_FORMAT: must be one of logfmt, json; got 'xml'"):
        Settings.load({"LOG_FORMAT": "xml"})
