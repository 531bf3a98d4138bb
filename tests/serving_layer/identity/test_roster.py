"""Rosters come from OneRoster's files, change by versions, and say before what would change."""

from __future__ import annotations

import json

import pytest

from runtime.storage.opening import open_store
from runtime.storage.store import Conflict
from serving_layer.identity.oneroster import roster_of
from serving_layer.identity.roster import ROSTER, BadRoster, Roster, difference, read_roster, write_roster

USERS = """sourcedId,status,enabledUser,role,username,agentSourcedIds
t1,active,true,teacher,GV001,
t2,active,true,teacher,GV002,
c1,active,true,administrator,AD001,
p1,active,true,parent,PARENT,
s1,active,true,student,SV001,"c1,p1"
s2,active,true,student,SV002,c1
s3,tobedeleted,true,student,SV003,c1
"""
CLASSES = """sourcedId,status,courseSourcedId,classCode
k1,active,COURSE001,A
k2,active,COURSE002,B
k3,tobedeleted,COURSE003,C
"""
ENROLLMENTS = """sourcedId,status,classSourcedId,userSourcedId,role
e1,active,k1,t1,teacher
e2,active,k2,t1,teacher
e3,active,k2,t2,aide
e4,active,k3,t2,teacher
e5,tobedeleted,k1,t2,teacher
e6,active,k1,s1,student
"""


def written(folder, **files: str):
    for name, text in {"users": USERS, "classes": CLASSES, "enrollments": ENROLLMENTS, **files}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8-sig")
    return folder


def test_teachers_and_agents_are_read(tmp_path):
    teaches, advises = roster_of(written(tmp_path), person="username")
    assert teaches == {"GV001": {"COURSE001", "COURSE002"}, "GV002": {"COURSE002"}}
    assert advises == {"AD001": {"SV001", "SV002"}}, "a parent is no adviser, who is deleted has none"
    teaches, _ = roster_of(tmp_path, course="classCode")
    assert teaches == {"t1": {"A", "B"}, "t2": {"B"}}


def test_roles_of_1_2_are_read(tmp_path):
    users = "sourcedId,username,agentSourcedIds\nc1,AD001,\ns1,SV001,c1\n"
    roles = "sourcedId,userSourcedId,roleType,role\nr1,c1,primary,counselor\nr2,s1,primary,student\n"
    _, advises = roster_of(written(tmp_path, users=users, roles=roles), person="username")
    assert advises == {"AD001": {"SV001"}}
    _, advises = roster_of(written(tmp_path, users=users, roles=roles.replace("counselor", "parent")))
    assert advises == {}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"users": "a,b\n1,2\n"}, "'users.csv' must have the columns"),
        ({"classes": "sourcedId,courseSourcedId\nk1\n"}, "'classes.csv' line 2"),
        ({"enrollments": 'classSourcedId,userSourcedId,role\n"k1,t1'}, "'enrollments.csv' must be a CSV file"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path, files, said):
    with pytest.raises(BadRoster, match=said):
        roster_of(written(tmp_path, **files))


def test_a_missing_file_is_named(tmp_path):
    written(tmp_path)
    (tmp_path / "classes.csv").unlink()
    with pytest.raises(BadRoster, match=r"classes\.csv"):
        roster_of(tmp_path)


def test_a_roster_has_versions_and_a_difference(tmp_path):
    store = open_store(str(tmp_path))
    assert read_roster(store) == (Roster(), None)
    teaches, advises = {"GV001": frozenset({"a", "b"})}, {"AD001": frozenset({"SV001"})}
    assert difference(Roster(), teaches, advises) == ["GV001 teaches +a +b", "AD001 advises +SV001"]
    assert read_roster(store)[1] is None, "a difference writes nothing"
    assert write_roster(store, teaches, advises).version == 1
    known, _ = read_roster(store)
    assert known == Roster(1, teaches, advises)
    assert difference(known, {"GV001": frozenset({"b", "c"})}, {}) == ["GV001 teaches +c -a", "AD001 advises -SV001"]
    assert write_roster(store, {}, {}).version == 2


def test_two_writers_do_not_mix(tmp_path):
    store = open_store(str(tmp_path))
    write_roster(store, {}, {})
    tag = store.etag(ROSTER)
    write_roster(store, {"GV001": frozenset({"a"})}, {})
    with pytest.raises(Conflict):
        store.swap(ROSTER, Roster(2).encoded(), tag)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 1}', '{"version": 1, "teaches": {"a": "COURSE001"}, "advises": {}}']
)
def test_a_damaged_roster_is_no_roster(tmp_path, text):
    store = open_store(str(tmp_path))
    store.write(ROSTER, text.encode())
    with pytest.raises(BadRoster, match=ROSTER):
        read_roster(store)
    assert json.loads(Roster(3).encoded())["version"] == 3
