"""Dates as several countries write them."""

from datetime import datetime

import pytest

from ingestion_layer.replay.local_dates import moment, written

MORNING, EVENING = datetime(2026, 3, 5, 10, 0), datetime(2026, 3, 5, 22, 0)


@pytest.mark.parametrize(
    "text",
    [
        "5/03/26, 10:00", "05/03/2026, 10:00", "5.3.2026 10:00:00", "05-03-26, 10:00", "5 Mar 2026, 10:00:00 AM",
        "Thursday, 5 March 2026, 10:00 AM", "March 5, 2026, 10:00 am", "5th March 2026, 10:00\u202fAM",
        "jeudi 5 mars 2026, 10:00", "martes, 5 de marzo de 2026, 10:00", "Donnerstag, 5. März 2026, 10:00",
        "Thứ năm, 5 tháng 3 2026, 10:00 SA", "Thứ 5, 05/03/2026, 10:00", "ngày 5 tháng 3 năm 2026, 10:00",
        "5 Thg3 2026, 10:00", "10:00 05/03/2026", "2026年3月5日 上午10:00", "2026/03/05, 10:00", "5 mrt 2026, 10:00",
        "5 марта 2026, 10:00", "5 maaliskuuta 2026, 10:00", "quinta-feira, 5 mar. 2026, 10:00", "5 Mart 2026, 10:00",
    ],
)  # fmt: skip
def test_a_morning_in_march(text):
    said = written(text)
    assert said and moment(said, month_first=False) == MORNING


@pytest.mark.parametrize(
    "text", ["5/03/26, 10:00 PM", "5 tháng 3 2026, 10:00 CH", "5 Mar 2026, 22:00 PM", "2026年3月5日 下午10:00"]
)
def test_an_evening_in_march(text):
    assert moment(written(text), month_first=False) == EVENING


def test_noon_and_midnight():
    assert moment(written("5/03/26, 12:30 AM"), False) == datetime(2026, 3, 5, 0, 30)
    assert moment(written("5/03/26, 12:30 PM"), False) == datetime(2026, 3, 5, 12, 30)


def test_the_month_is_first_where_the_file_says_so():
    assert moment(written("3/5/26, 10:00"), month_first=True) == MORNING
    assert moment(written("2026年3月5日 10:00"), month_first=False) == MORNING, "a text that tells its order keeps it"
    assert moment(written("5 Mar 2026, 10:00"), month_first=True) == MORNING


@pytest.mark.parametrize(
    "text", ["", "yesterday", "10:00", "5/03/26", "Mar 2026, 10:00", "1 2 3 4 5 6 10:00", "5 Foo 2026, 10:00"]
)
def test_no_date(text):
    assert written(text) is None


@pytest.mark.parametrize(
    "text", ["31/02/26, 10:00", "5/13/26, 10:00", "5/03/26, 25:00", "5/03/26, 10:61", "0/0/00, 0:00"]
)
def test_no_day_of_any_calendar(text):
    with pytest.raises(ValueError):
        moment(written(text), month_first=False)
