"""Runs that are kept are listed, and each can be asked for."""


def test_each_run_that_is_listed_can_be_asked_for(http):
    runs = http.get("/runs").json()["runs"]
    serving = http.get("/freshness").json()
    assert [run["run"] for run in runs if run["serves"]] == [serving["run"]]
    moments = [run["published_at"] for run in runs]
    assert moments == sorted(moments, reverse=True)
    for run in runs:
        as_of = http.get("/views/course_overall_metrics", params={"as_of_run": run["run"]}).json()["as_of"]
        assert (as_of["run"], as_of["cut"]) == (run["run"], run["cut"]) and run["events"] > 0
