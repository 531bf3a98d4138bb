"""Login of a browser at a real issuer, the session that follows, and what others try with both."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit
from urllib.request import Request, urlopen

import httpx
import pytest
import requests

from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.errors import NotServing, Unauthenticated
from serving_layer.identity import login as module
from serving_layer.identity.login import Login, own_page
from serving_layer.identity.sessions import FOLDER, KNOWN_SECONDS, Session, Sessions
from serving_layer.identity.viewer import Viewer
from serving_layer.routes.login import begun_cookie
from tests.serving_layer.identity.conftest import AUDIENCE, Closed, Issuer

VIEW = "/views/video_total_watch_time"


@pytest.fixture
def browser(closed: Closed) -> Iterator[httpx.Client]:
    """A browser that has never been here."""
    with httpx.Client(base_url=closed.server.address, timeout=60) as client:
        yield client


def own_login(issuer: Issuer) -> Login:
    """Logins as the server makes them."""
    settings = Settings.load({"OIDC_ISSUER": issuer.address, "OIDC_CLIENT_SECRET": "any"})
    return Login(replace(settings, oidc_audience=AUDIENCE))


def agreed(issuer: Issuer, place: str, sub: str, **claims) -> str:
    """Where the issuer sends a browser that logs in there."""
    httpx.put(f"{issuer.address}/users/{sub}", json=claims).raise_for_status()
    return httpx.post(place, data={"sub": sub}).headers["location"]


def login(browser: httpx.Client, issuer: Issuer, sub: str, onward: str = "/", **claims) -> httpx.Response:
    """The last answer of a login by browser."""
    begun = browser.get("/login", params={"next": onward})
    assert begun.status_code == 303, begun.text
    back = urlsplit(agreed(issuer, begun.headers["location"], sub, **claims))
    return browser.get(f"{back.path}?{back.query}")


def test_a_browser_logs_in_looks_and_logs_out(browser, issuer):
    before = browser.get("/me").json()
    assert (before["role"], before["login"], before["csrf"]) == (None, "/login", None)
    assert browser.get(VIEW).status_code == 401
    answer = login(browser, issuer, "GV001", "/?course=COURSE001", role="lecturer")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?course=COURSE001")
    me = browser.get("/me").json()
    assert (me["role"], me["person"], me["courses"], me["logout"]) == ("lecturer", "GV001", ["COURSE001"], "/logout")
    rows = browser.get(VIEW).json()["rows"]
    assert rows and {row["course_id"] for row in rows} == {"COURSE001"}
    cookie = dict(browser.cookies)
    assert browser.post("/logout", headers={"X-CSRF-Token": me["csrf"]}).status_code == 204
    assert browser.get("/me").json()["role"] is None
    stolen = browser.get(VIEW, headers={"Cookie": "; ".join(f"{k}={v}" for k, v in cookie.items())})
    assert stolen.status_code == 401, "a logout ends the session, not only the cookie"


def test_marks_of_the_cookies(browser, issuer):
    begun = browser.get("/login")
    answer = login(browser, issuer, "SV001", role="student")
    for kept in (begun.headers["set-cookie"], *answer.headers.get_list("set-cookie")):
        assert "httponly" in kept.lower() and "samesite=lax" in kept.lower()
    asked = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
    assert asked["code_challenge_method"] == "S256" and min(len(asked[n]) for n in ("state", "nonce")) >= 43
    for answered in (begun, answer, browser.get("/me")):
        assert answered.headers["cache-control"] == "no-store"
    assert "cookie" in browser.get(VIEW).headers["vary"].lower()


def test_beyond_this_machine_cookies_are_secure(issuer, tmp_path):
    from serving_layer.identity.gate import Gate

    own = {"AUTHENTICATION": "required", "OIDC_ISSUER": issuer.address, "IDENTITY": str(tmp_path)}
    gate = Gate(Settings.load({**own, "PUBLIC_ADDRESS": "https://api.example/"}))
    assert gate.login and gate.login.secure and gate.cookie == "__Host-la_session"
    assert begun_cookie(gate.login) == "__Host-la_login", "or a neighbour's page plants one that it began"
    assert "redirect_uri=https%3A%2F%2Fapi.example%2Fcallback" in gate.login.begin("/").address


def test_another_browser_s_login_is_none(closed, browser, issuer):
    """Somebody is lured to a callback with the code of another: they would act as that one."""
    back = urlsplit(agreed(issuer, httpx.get(f"{closed.server.address}/login").headers["location"], "SV001"))
    for cookie in ("", "la_login=x", "la_login=" + base64.b64encode(b'["","","","/"]').decode()):
        query = back.query if "/" not in cookie else back.query.replace("state=", "no=")
        answer = browser.get(f"/callback?{query}", headers={"Cookie": cookie} if cookie else {})
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
    browser.get("/login")
    assert browser.get(f"/callback?{back.query}").status_code == 401, "the state is another login's"
    assert browser.get("/callback?error=access_denied").status_code == 401


def test_a_code_counts_once(browser, issuer):
    begun = browser.get("/login")
    back = urlsplit(agreed(issuer, begun.headers["location"], "SV001", role="student"))
    cookie = {"Cookie": f"la_login={browser.cookies['la_login']}"}
    assert browser.get(f"/callback?{back.query}", headers=cookie).status_code == 303
    assert browser.get(f"/callback?{back.query}", headers=cookie).status_code == 401


def test_an_answer_for_another_login_is_none(issuer):
    """The issuer's token has to name this login's nonce."""
    own = own_login(issuer)
    first, second = own.begin("/"), own.begin("/")
    code = parse_qs(urlsplit(agreed(issuer, first.address, "SV001", role="student")).query)["code"][0]
    kept = json.loads(base64.urlsafe_b64decode(second.cookie))
    with pytest.raises(Unauthenticated, match="must be for this login"):
        own.finish(second.cookie, kept[0], code)


def test_an_issuer_that_is_away_is_not_asked_by_everyone(issuer, monkeypatch):
    """Each would keep a thread of the server's for seconds."""
    asked: list[str] = []
    own = own_login(issuer)

    def away(place: str) -> dict:
        asked.append(place)
        raise requests.ConnectionError("away")

    with monkeypatch.context() as patch:
        patch.setattr(module, "fetched_json", away)
        for _ in range(3):
            with pytest.raises(NotServing, match="must answer"):
                own.begin("/")
    assert len(asked) == 1
    own._failed -= module.ASK_AGAIN_SECONDS
    assert own.begin("/").address.startswith(issuer.address)


def test_the_code_is_proved_by_its_verifier(issuer):
    """What our server sends to the issuer for a code, told by a relay between the two."""
    forms: list[dict[str, str]] = []

    class Relay(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            forms.append(dict(parse_qsl(body.decode())))
            passed = {"Authorization": self.headers["authorization"]}
            with urlopen(Request(f"{issuer.address}{self.path}", body, passed)) as answer:
                told = answer.read()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    own = own_login(issuer)
    try:
        begun = own.begin("/")
        own._told["token_endpoint"] = f"http://127.0.0.1:{relay.server_port}/oauth2/token"
        asked = dict(parse_qsl(urlsplit(begun.address).query))
        code = parse_qs(urlsplit(agreed(issuer, begun.address, "SV001", role="student")).query)["code"][0]
        claims, onward = own.finish(begun.cookie, asked["state"], code)
    finally:
        relay.shutdown()
        relay.server_close()
    assert (claims["sub"], onward) == ("SV001", "/")
    proof = hashlib.sha256(forms[0]["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(proof).decode().rstrip("=") == asked["code_challenge"]
    assert forms[0]["redirect_uri"] == asked["redirect_uri"] and "code_verifier" not in begun.address


@pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 32}, {"X-CSRF-Token": "ü"}])
def test_nothing_is_changed_without_the_token(browser, issuer, headers):
    login(browser, issuer, "SV001", role="student")
    raw = {name: value.encode() for name, value in headers.items()}
    assert browser.post("/logout", headers=raw).status_code == 403
    assert browser.get("/me").json()["role"] == "student"


def test_pages_of_other_sites_get_nothing(browser, issuer):
    login(browser, issuer, "SV001", role="student")
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors", "Origin": "https://evil.example"}
        answer = browser.get(VIEW, headers=headers)
        assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
        assert browser.get(VIEW, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status_code == 200
    assert browser.get(VIEW, headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}).status_code == 200
    assert browser.options(VIEW, headers={"Origin": "https://evil.example"}).status_code == 405


@pytest.mark.parametrize("cookie", ["x", "0.x", "99999999999.", "99999999999.x", "99999999999." + "x" * 99, "²." + "x"])
def test_a_forged_cookie_is_nobody(closed, cookie):
    for path in (VIEW, "/me"):
        answer = httpx.get(closed.server.address + path, headers={"Cookie": f"la_session={cookie}".encode()})
        assert answer.status_code == 401, answer.text


def test_a_role_that_is_none_gets_no_session(browser, issuer):
    answer = login(browser, issuer, "SV001", role="dean")
    assert answer.status_code == 403 and "la_session" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "onward",
    ["", "x", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\nx", "\\/x"],
)
def test_no_link_leads_through_us_to_a_strange_place(onward):
    assert own_page(onward) == "/"


def test_own_pages_are_gone_on_to():
    for onward in ("/", "/docs", "/?a=b#/students", "/links?next=https://x"):
        assert own_page(onward) == onward


def test_sessions_end(tmp_path, monkeypatch):
    store = open_store(str(tmp_path))
    here, there = Sessions(store, 60), Sessions(store, 60)
    session = here.begin(Viewer("lecturer", "GV001", frozenset({"C"})))
    assert there.read(session.cookie) == session and there.known(session.cookie) == (True, session)
    assert session.cookie.split(".")[1].encode() not in b"".join(
        e.path.encode() + store.read(e.path) for e in store.list()
    )
    late = session.cookie.replace(str(session.expires_at), str(session.expires_at + 9999))
    assert there.read(late) is None, "nobody lengthens a session"
    here.end(session)
    assert here.known(session.cookie) == (True, None)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + KNOWN_SECONDS + 1)
    assert not there.known(session.cookie)[0] and there.read(session.cookie) is None
    here.begin(Viewer("student", "SV001"))
    here.sweep()
    assert len(store.list(FOLDER)) == 1
    wall = time.time()
    monkeypatch.setattr(time, "time", lambda: wall + 61)
    here.sweep()
    assert store.list(FOLDER) == [] and isinstance(session, Session)
