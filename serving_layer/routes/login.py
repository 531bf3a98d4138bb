"""Routes of people's browsers: who is asking, the login at the issuer, and the logout."""

from __future__ import annotations

import time
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from serving_layer.errors import Unauthenticated, Unknown
from serving_layer.identity.gate import COOKIE, Gate
from serving_layer.identity.login import BEGUN_SECONDS, Login
from serving_layer.openapi import ERRORS, ME, REFUSALS
from serving_layer.query.formats import json_bytes
from serving_layer.routes.views import json_response

BEGUN = "la_login"
UNSTORED = {"Cache-Control": "no-store"}


def add(app: FastAPI, gate: Gate) -> None:
    """`/me`, `/login`, `/callback` and `/logout`."""

    @app.get("/me", responses={**ME, 401: ERRORS[401]}, summary="Who is asking, and where to log in")
    async def me(request: Request) -> Response:
        login = "/login" if gate.login else None
        nobody: dict[str, Any] = dict.fromkeys(("role", "person", "scope", "csrf", "expires_at", "logout"))
        nobody |= {"authentication": gate.profile, "courses": [], "students": [], "login": login}
        if not gate.names_somebody(request):
            return json_response(json_bytes(nobody), UNSTORED)
        viewer, session = await gate.viewer(request), gate.session_at_hand(request)
        told: dict[str, Any] = {
            "role": viewer.role,
            "person": viewer.person or None,
            "scope": None if viewer.scope is None else sorted(viewer.scope),
            "courses": sorted(viewer.courses),
            "students": sorted(viewer.students),
        }
        if session:
            told |= {"csrf": session.csrf, "expires_at": session.expires_at, "logout": "/logout"}
        return json_response(json_bytes(nobody | told), UNSTORED)

    @app.get("/login", responses={303: {"description": "To the issuer's page."}, **ERRORS}, summary="Log in")
    async def begin(request: Request) -> Response:
        login = _login(gate)
        gate.count_address(request)
        begun = await run_in_threadpool(login.begin, request.query_params.get("next", "/"))
        answer = Response(status_code=303, headers={"Location": begun.address, **UNSTORED})
        answer.set_cookie(
            begun_cookie(login), begun.cookie, BEGUN_SECONDS, secure=login.secure, httponly=True, samesite="lax"
        )
        return answer

    @app.get(
        "/callback",
        responses={303: {"description": "To the page that was wanted, logged in."}, **ERRORS},
        summary="Where the issuer sends a browser back to",
    )
    async def finish(request: Request) -> Response:
        login, told = _login(gate), request.query_params
        gate.count_address(request)
        if "error" in told or not told.get("code"):
            raise Unauthenticated("login: the issuer didn't name anybody; log in again at /login")
        cookie = request.cookies.get(begun_cookie(login), "")
        claims, onward = await run_in_threadpool(login.finish, cookie, told.get("state", ""), told["code"])
        session = await run_in_threadpool(gate.sessions.begin, gate.viewer_of(claims))
        answer = Response(status_code=303, headers={"Location": onward, **UNSTORED})
        answer.delete_cookie(begun_cookie(login), secure=login.secure, httponly=True, samesite="lax")
        answer.set_cookie(
            gate.cookie,
            session.cookie,
            session.expires_at - int(time.time()),
            secure=login.secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    @app.post(
        "/logout",
        responses={204: {"description": "Logged out."}, **REFUSALS},
        status_code=204,
        summary="Log out; needs the header X-CSRF-Token with what /me says",
    )
    async def end(request: Request) -> Response:
        await gate.viewer(request)
        session = gate.session_at_hand(request)
        if session:
            await run_in_threadpool(gate.sessions.end, session)
        answer = Response(status_code=204, headers=UNSTORED)
        answer.delete_cookie(gate.cookie, secure=gate.cookie != COOKIE, httponly=True, samesite="lax")
        return answer


def begun_cookie(login: Login) -> str:
    """The cookie of a login that has begun; where the address is https, no neighbour's page can plant one."""
    return f"__Host-{BEGUN}" if login.secure else BEGUN


def _login(gate: Gate) -> Login:
    if gate.login is None:
        raise Unknown("login", "'login': OIDC_ISSUER must name an issuer for browsers to log in at; got none")
    return gate.login
