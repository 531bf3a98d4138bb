"""Sessions, sign-ups and profiles."""

from __future__ import annotations

from ingestion_layer.population import fragment
from ingestion_layer.scripts.script import script


@script("LOGIN", "role", "session_id")
def _login(world, now):
    person = world.next_visitor(now)
    return person and world.write("LOGIN", world.open_session(person, now), now, world.session_tail)


@script("LOGOUT", "role", "session_id")
def _logout(world, now):
    session = world.leaving()
    return session and world.write("LOGOUT", world.close_session(session), now, session.tail)


@script("SESSION_EXPIRED", "session_id")
def _expired(world, now):
    session = world.leaving()
    return session and world.write("SESSION_EXPIRED", world.close_session(session), now, session.tail)


@script("SIGNUP", "role", "email")
def _signup(world, now):
    if not world.people.newcomers:
        return None
    person = world.people.newcomers.popleft()
    world.signed_up.append(person)
    return world.write_alone("SIGNUP", person, now, fragment(email=world.people.profile(person)["email"]))


@script("LOGIN_FAILED")
def _login_failed(world, now):
    return world.away and world.write_alone("LOGIN_FAILED", world.choose(world.away), now, "")


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
def _create_profile(world, now):
    if not world.signed_up:
        return None
    person = world.signed_up.popleft()
    world.profiled.append(person)
    return world.write_alone("CREATE_PROFILE", person, now, fragment(**world.people.profile(person)))
