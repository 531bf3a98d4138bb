"""What is handed out about a person is everything that names the person, and nothing of anybody else."""

from __future__ import annotations

import csv
import json

from deployment.command.learn import main
from deployment.persons.export import export
from tests.deployment.persons.keeping import names
from tests.oracle.histories import envelope, landed


def test_everything_that_is_held(platform, tmp_path, monkeypatch, capsys):
    rows = export(platform.places, "SV001", tmp_path / "held")
    head = platform.commits.head if platform.commits else {}
    mine = [r for r in landed(platform.records)
            if r.offset < head[r.topic].get(str(r.partition), 0) and names(r, {"SV001"})]  # fmt: skip
    lines = (tmp_path / "held" / "events.jsonl").read_bytes().splitlines(keepends=True)
    assert sorted(lines) == sorted(map(envelope, mine)) and rows["events.jsonl"] == len(mine) > 20
    with (tmp_path / "held" / "events.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(r["topic"], r["offset"]) for r in table] == [
        (line["topic"], str(line["offset"])) for line in map(json.loads, lines)
    ]
    assert rows["rejected.jsonl"] > 0 and rows["identity.jsonl"] == 4
    views = [name for name in rows if name.endswith(".jsonl") and name.split("_")[0] in ("auth", "video", "assessment")]
    assert len(views) > 3
    for name in views:
        for line in (tmp_path / "held" / name).read_text().splitlines():
            row = json.loads(line)
            assert "SV001" in (row.get("user_id"), row.get("student_id"))
    with (tmp_path / "held" / "meanings.csv").open(encoding="utf-8", newline="") as file:
        meanings = {(row["file"], row["column"]): row["meaning"] for row in csv.DictReader(file)}
    for name in rows:
        if name.endswith(".csv"):
            header = (tmp_path / "held" / name).read_text(encoding="utf-8").splitlines()[0].split(",")
            assert all(meanings[name, column] for column in header), name

    for name in ("master_dataset", "quarantine", "batch_views", "speed_views", "identity", "disclosure_log"):
        monkeypatch.setenv(name.upper(), str(getattr(platform.settings, name)))
    assert main(["erase", "--user", "SV001", "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(account["lines"] for path, account in found.items() if path.startswith("raw/")) == len(mine)
    assert platform.erase("SV001").events == len(mine)
    assert main(["export", "--user", "SV001", "--to", str(tmp_path / "after"), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out).values()) == {0}
    assert main(["erase"]) == 2 and "--user or --file must be given" in capsys.readouterr().err
