"""Keys and rosters by the command line: what it makes is what the gate takes."""

from __future__ import annotations

import json

import pytest

from deployment.command.learn import main
from runtime.storage.opening import open_store
from serving_layer.identity.api_keys import key_of, list_keys
from serving_layer.identity.roster import read_roster
from tests.serving_layer.identity.test_roster import written


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("IDENTITY", str(tmp_path / "identity"))
    return open_store(str(tmp_path / "identity"))


def test_a_key_is_made_listed_and_revoked(store, capsys):
    assert main(["keys", "create", "--role", "service", "--days", "3", "--scope", "a,b", "--note", "site"]) == 0
    text = capsys.readouterr().out.strip()
    keys = {key.id: key for key in list_keys(store)}
    found = key_of(text, keys)
    assert found and (found.role, found.scope, found.note) == ("service", ["a", "b"], "site")
    assert main(["keys", "list", "--json"]) == 0
    listed = capsys.readouterr().out
    assert [key["id"] for key in json.loads(listed)] == [found.id] and found.digest not in listed
    assert main(["keys", "list"]) == 0 and "a,b" in capsys.readouterr().out
    assert main(["keys", "revoke", found.id]) == 0 and list_keys(store) == []
    assert main(["keys", "revoke", found.id]) == 1
    assert capsys.readouterr().err == f"learn: key: id must be that of a key; got '{found.id}'\n"


def test_a_person_must_be_named(store, capsys):
    assert main(["keys", "create", "--role", "student", "--days", "3"]) == 1
    assert "person must be named for role student" in capsys.readouterr().err and list_keys(store) == []


def test_a_roster_is_imported_and_said_before(store, tmp_path, capsys):
    folder = tmp_path / "oneroster"
    folder.mkdir()
    written(folder)
    command = ["roster", "import", str(folder), "--person", "username"]
    assert main([*command, "--dry-run"]) == 0
    assert "GV001 teaches +COURSE001 +COURSE002" in capsys.readouterr().out
    assert read_roster(store)[1] is None
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], len(told["changes"])) == (1, 3)
    assert read_roster(store)[0].advises == {"AD001": {"SV001", "SV002"}}
    (folder / "classes.csv").write_text("a\n1\n")
    assert main(command) == 1 and "'classes.csv' must have the columns" in capsys.readouterr().err
