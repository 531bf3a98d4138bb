"""Whatever the store, files behave the same: on a local folder, on a real MinIO and on a real HDFS."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Conflict, Store

KINDS = ("local", "s3", "hdfs")
WRITERS = 6
NAMES = (
    "a",
    "a/b",
    "a/b.json",
    "a/bc/d.json",
    "ab",
    "topic=x/date=2026-03-01/part-0.json.gz",
    "_current.json",
    "é ü/ñ.json",
)


@pytest.fixture(scope="module", params=KINDS)
def opened(request, tmp_path_factory) -> Callable[[], Store]:
    """Makes new empty stores of one kind."""
    if request.param == "local":
        return lambda: open_store(str(tmp_path_factory.mktemp("store")))
    if request.param == "s3":
        stack = request.getfixturevalue("stack")
        return lambda: open_store(f"s3a://bucket-0/laws/{uuid4().hex}", stack.settings)
    hdfs = request.getfixturevalue("hdfs")
    chosen = replace(Settings.load({}), hdfs_http_port=hdfs.ports["namenode_http"])
    return lambda: open_store(f"{hdfs.uri}/laws/{uuid4().hex}", chosen)


def listed(store: Store, prefix: str = "") -> list[tuple[str, int]]:
    return [(e.path, e.size) for e in store.list(prefix)]


def expected(model: dict[str, bytes], prefix: str = "") -> list[tuple[str, int]]:
    return sorted((path, len(data)) for path, data in model.items() if path.startswith(prefix))


steps = st.lists(
    st.tuples(
        st.sampled_from(("write", "create", "swap", "swap blindly", "delete", "read")),
        st.sampled_from([n for n in NAMES if n not in ("a", "a/b")]),  # a folder can't have a file's name but on S3
        st.binary(max_size=20),
    ),
    max_size=12,
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_any_steps_leave_what_a_dictionary_would_hold(opened, taken):
    store, model = opened(), {}
    for action, path, data in taken:
        match action:
            case "write":
                store.write(path, data)
                model[path] = data
            case "create" if path in model:
                with pytest.raises(FileExistsError):
                    store.create(path, data)
            case "create":
                store.create(path, data)
                model[path] = data
            case "swap":
                store.swap(path, data, store.etag(path))
                model[path] = data
            case "swap blindly" if path in model:
                with pytest.raises(Conflict):
                    store.swap(path, data, None)
            case "swap blindly":
                with pytest.raises(Conflict):
                    store.swap(path, data, '"0123456789abcdef0123456789abcdef"')
            case "delete":
                store.delete([path, "never/there"])
                model.pop(path, None)
            case "read" if path not in model:
                with pytest.raises(FileNotFoundError):
                    store.read(path)
                assert store.etag(path) is None
        if path in model:
            assert store.read(path) == model[path]
    assert listed(store) == expected(model)
    for prefix in ("a", "a/", "a/b", "topic=x/", "_", "nothing/"):
        assert listed(store, prefix) == expected(model, prefix)
    assert {e.path: e.etag for e in store.list()} == {path: store.etag(path) for path in model}


def test_a_tag_tells_versions_apart(opened):
    store = opened()
    tags = []
    for number in range(4):
        store.write("f", b"%d" % number)
        tags.append(store.etag("f"))
    assert len(set(tags)) == 4 and tags[-1] == store.list()[0].etag
    with pytest.raises(Conflict):
        store.swap("f", b"late", tags[0])
    assert store.read("f") == b"3"


def together(action: Callable[[int], None]) -> list[BaseException]:
    """Run `action` by several writers at once; what they raised."""
    raised: list[BaseException] = []
    barrier = threading.Barrier(WRITERS)

    def work(number: int) -> None:
        barrier.wait()
        try:
            action(number)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def test_of_several_creators_one_succeeds(opened):
    store = opened()
    raised = together(lambda number: store.create("one/file", b"%d" % number))
    assert [type(error) for error in raised] == [FileExistsError] * (WRITERS - 1)
    assert store.read("one/file") in [b"%d" % n for n in range(WRITERS)]
    assert len(store.list()) == 1, "a losing writer leaves nothing behind"


def test_no_swap_is_lost(opened):
    store = opened()
    store.write("counter", b"0")

    def add(_: int) -> None:
        while True:
            tag = store.etag("counter")
            try:
                return store.swap("counter", b"%d" % (int(store.read("counter")) + 1), tag)
            except Conflict:
                continue

    assert together(add) == []
    assert store.read("counter") == b"%d" % WRITERS


def test_large_files_travel_whole(opened, tmp_path):
    store = opened()
    data = bytes(range(256)) * 40_000  # above the size from which S3 clients send parts
    (tmp_path / "here").write_bytes(data)
    store.upload(tmp_path / "here", "large/file")
    store.upload(tmp_path / "here", "large/file")
    store.download("large/file", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == store.read("large/file") == data
    with pytest.raises(FileNotFoundError):
        store.download("missing", tmp_path / "nothing")


def test_a_store_travels_to_other_processes(opened):
    store = opened()
    store.write("f", b"x")
    assert pickle.loads(pickle.dumps(store)).read("f") == b"x"


def test_more_files_than_a_page_are_listed_and_deleted(opened, request):
    store = opened()
    number = 1100 if "s3" in request.node.callspec.id else 30
    paths = [f"many/{n:05}" for n in range(number)]
    for path in paths:
        store.write(path, b"")
    assert [e.path for e in store.list("many/")] == paths
    store.delete(paths)
    assert store.list() == []
