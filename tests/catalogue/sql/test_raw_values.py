"""Values of any bytes: what is no JSON object doesn't land, and a bad one spoils no other."""

import json

import pytest

from tests.catalogue.sql.judging import WATCHED, as_records, check_against_oracle

GOOD = json.dumps(WATCHED).encode()
RAW = (
    GOOD,
    b" \t\r\n" + GOOD + b"\n\n",
    GOOD.replace(b"user_id", b"user\\u005fid"),
    GOOD.replace(b"SV001", b"\\ud83d\\ude00"),
    GOOD.replace(b"SV001", "😀 ü \u2028 \x7f".encode()),
    GOOD.replace(b"SV001", b"a\\u0000b"),
    GOOD.replace(b"SV001", b"a\\nb\\/c\\\\"),
    GOOD[:-1] + b',"extra":' + b"[" * 500 + b"]" * 500 + b"}",
    GOOD[:-1] + b',"extra":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
    GOOD[:-1] + b',"extra":' + b"1" * 5_000 + b"}",
    GOOD[:-1] + b',"extra":[1e999,-1e999]}',
    GOOD[:-1] + b',"extra":"' + b"\\n" * 5_000_000 + b'"}',
    GOOD[:-1] + b"," + b"\n" * 10_000_000 + b'"extra":1}',
    GOOD[:-1] + b',"watch_duration_seconds":-1}',
    GOOD.replace(b"{", b'{"watch_duration_seconds":-1,', 1),
    GOOD[:-1] + b',"user_id":null}',
    GOOD[:-1] + b',"extra":{"user_id":5,"user_id":6},"value":{"topic":"auth_topic"},"offset":9}',
    GOOD[:-1] + b',"USER_ID":5,"":1,"a\\"b":[-0.0e-400,1E+400,123456789012345678901234567890]}',
    json.dumps(WATCHED, separators=("\n,\r\n\t", " \t\r\n:\n ")).encode(),
    # no JSON object
    b"[" * 5_000 + b"]" * 5_000,
    b"{" + GOOD[1:-1] + b",}",
    GOOD[:-1] + b',"extra":NaN}',
    GOOD[:-1] + b',"extra":Infinity}',
    GOOD[:-1] + b',"extra":-inf}',
    GOOD[:-1] + b',"extra":[1,]}',
    GOOD[:-1] + b',"extra":01}',
    GOOD[:-1] + b',"extra":0x1F}',
    GOOD[:-1] + b',"extra":+1}',
    GOOD[:-1] + b',"extra":.5}',
    GOOD[:-1] + b',"extra":1.}',
    GOOD[:-1] + b',"extra":True}',
    GOOD[:-1] + b',"extra":"\\x41"}',
    GOOD[:-1] + b',"extra":"\\ud800"}',
    GOOD[:-1] + b',"extra":"a\tb"}',
    GOOD[:-1] + b',"extra":"a\nb"}',
    GOOD[:-1] + b',"extra":"\xc0\xaf"}',
    GOOD[:-1] + b',"extra":"\xed\xa0\x80"}',
    GOOD[:-1] + b',"extra":"\xf5\x80\x80\x80"}',
    GOOD[:-1] + b',"extra":"\xe4"}',
    GOOD[:-1] + b"/* so */}",
    GOOD[:-1] + b"} // so",
    GOOD[:-1],
    GOOD[:100],
    GOOD + b"x",
    GOOD + b",",
    GOOD + GOOD,
    GOOD + b"\n" + GOOD,
    GOOD + b"\0",
    b"\0" + GOOD,
    b"\xef\xbb\xbf" + GOOD,
    b"\x0b" + GOOD,
    b"\xc2\xa0" + GOOD,
    GOOD.replace(b'"', b"'"),
    GOOD.replace(b'"user_id"', b"user_id"),
    WATCHED.__repr__().encode(),
    json.dumps(json.dumps(WATCHED)).encode(),
    b"[" + GOOD + b"]",
    json.dumps(WATCHED).encode("utf-16"),
    json.dumps(WATCHED).encode("utf-16-le"),
    json.dumps(WATCHED | {"user_id": "Zoë"}, ensure_ascii=False).encode("latin-1"),
    b"\x1f\x8b\x08\x00" + bytes(range(256)),
)


@pytest.mark.parametrize("value", RAW, ids=lambda v: repr(v[-25:]))
def test_raw_bytes(value):
    check_against_oracle("video_topic", as_records([value]))


def test_a_bad_value_spoils_no_other():
    check_against_oracle("video_topic", as_records([value for bad in RAW for value in (bad, GOOD)]))
