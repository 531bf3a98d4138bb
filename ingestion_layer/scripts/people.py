"""Sessions, sign-ups and profiles."""

from __future__ import annotations

from ingestion_layer.population import fragment
from ingestion_layer.scripts.script import script
from ingestion_layer.world import Record, World


@script("LOGIN", "role", "session_id")
def _login(world: World, now: int) -> Record | None:
    person = world.present.next_visitor()
    if person is None:
        return None
    session = world.present.open(person, now)
    return world.write("LOGIN", session, now, session.tail)


@script("LOGOUT", "role", "session_id")
def _logout(world: World, now: int) -> Record | None:
    session = world.present.leaving()
    return world.write("LOGOUT", world.present.close(session), now, session.tail) if session else None


@script("SESSION_EXPIRED", "session_id")
def _expired(world: World, now: int) -> Record | None:
    session = world.present.leaving()
    return world.write("SESSION_EXPIRED", world.present.close(session), now, session.tail) if session else None


@script("SIGNUP", "role", "email")
def _signup(world: World, now: int) -> Record | None:
    if not world.people.newcomers:
        return None
    person = world.people.newcomers.popleft()
    world.signed_up.append(person)
    return world.write_alone("SIGNUP", person, now, fragment(email=world.people.profile(person)["email"]))


@script("LOGIN_FAILED")
def _login_failed(world: World, now: int) -> Record | None:
    away = world.present.away
    return world.write_alone("LOGIN_FAILED", world.choose(away), now, "") if away else None


@script(
    "CREATE_PROFILE",
    "role",
    "email",
    "full_name",
    "date_of_birth",
    "gender",
    "phone_number",
    "major",
    "enrollment_year",
)
def _create_profile(world: World, now: int) -> Record | None:
    if not world.signed_up:
        return None
    person = world.signed_up.popleft()
    world.profiled.append(person)
    return world.write_alone("CREATE_PROFILE", person, now, fragment(**world.people.profile(person)))
