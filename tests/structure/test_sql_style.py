"""The catalogue's SQL is held to `.sqlfluff`; that all of it keeps its rules is looked at by `make lint`."""

from __future__ import annotations

from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.windows import WINDOW_ROLLUPS, WINDOWS
from tests.structure.sql_style import complaints, texts

SQL = """
select
    user_id,  -- user
    count(DISTINCT video_id) videos,  -- videos
  whole(seconds) AS seconds  -- seconds
FROM video_watches GROUP BY user_id"""


def test_a_line_that_breaks_a_rule_is_told():
    assert complaints({"view 'x'": SQL}) == [
        "view 'x': line 1 must keep CP01: Keywords must be upper case.; got 'select'",
        "view 'x': line 3 must keep AL02: Implicit/explicit aliasing of columns.; "
        "got 'count(DISTINCT video_id) videos,  -- videos'",
        "view 'x': line 4 must keep LT02: Expected indent of 4 spaces.; got 'whole(seconds) AS seconds  -- seconds'",
    ]


def test_every_text_is_looked_at():
    assert len(texts()) == len(ROLLUPS) + len(VIEWS) + len(WINDOW_ROLLUPS) + len(WINDOWS)
    firsts = {who.split()[0]: (who, sql) for who, sql in reversed(texts().items()) if "video_" in who}
    assert set(firsts) == {"rollup", "view", "window"}
    assert complaints(dict(firsts.values())) == []
