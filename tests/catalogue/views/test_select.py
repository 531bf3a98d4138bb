"""A SELECT's outline is read from its text."""

from __future__ import annotations

from catalogue.views.select import Column, Select, parse, words


def test_columns_keys_and_tables():
    sql = """
WITH work AS (
    SELECT a, b FROM first WHERE c = 'FROM nowhere' -- FROM no_where
    UNION ALL SELECT a, 0 FROM second
), ends AS MATERIALIZED (SELECT max(a) AS a FROM third)
SELECT
    work.a,  -- the a, (of all)
    count(DISTINCT b) FILTER (WHERE b > 0)
        AS c,  -- how many, not 'few'
    CASE WHEN a = ',--' THEN 1 ELSE 2 END AS "d",
    5 -- five
FROM work JOIN ends ON work.a = ends.a, range(3)
WHERE a > 0 GROUP BY work.a, (a, b) HAVING true ORDER BY a"""
    assert parse(sql) == Select(
        (
            Column("work.a", "a", "the a, (of all)"),
            Column("count(DISTINCT b) FILTER (WHERE b > 0)", "c", "how many, not 'few'"),
            Column("CASE WHEN a = ',--' THEN 1 ELSE 2 END", "", ""),
            Column("5", "", "five"),
        ),
        ("work.a", "(a, b)"),
        ("first", "second", "third", "work", "ends"),
        ("work", "ends"),
    )


def test_what_is_no_select_has_nothing():
    assert parse("") == Select((), (), (), ())
    assert parse("DROP TABLE x").columns == ()


def test_words_are_neither_texts_nor_comments_nor_numbers():
    assert words("a_1 + f(b) >= 1e5 AND c = 'not this' -- nor that") == ("a_1", "f", "b", "AND", "c")
