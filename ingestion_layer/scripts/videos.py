"""Videos: playing, pausing, seeking, and the spans that were watched."""

from __future__ import annotations

from ingestion_layer.clock import SECOND
from ingestion_layer.population import Student
from ingestion_layer.scripts.script import TRIES, script
from ingestion_layer.session import Session
from ingestion_layer.world import Record, World

Video = tuple[str, int]  # as JSON members, and its length in seconds


def _reached(session: Session[Student], video: Video, now: int) -> int:
    """Second of its video at which the session is."""
    played = (now - session.since) // SECOND if session.playing else 0
    return min(video[1], session.position + played)


@script("VIDEO_STARTED", "video_id", "course_id", "session_id", "position_seconds")
def _started(world: World, now: int) -> Record | None:
    for session in world.several(3):
        if session.playing:
            continue
        video = session.video
        if video is None or world.below(4) == 0:
            video, session.position = world.choose(world.enrolment(session.person).course.videos), 0
            session.video = video
        session.playing, session.since, session.mark = True, now, now
        return world.write("VIDEO_STARTED", session, now, _position(session, video, session.position))
    return None


def _position(session: Session[Student], video: Video, second: int) -> str:
    return f'{video[0]}{session.tail},"position_seconds":{second}'


@script("VIDEO_PAUSED", "video_id", "course_id", "session_id", "position_seconds")
def _paused(world: World, now: int) -> Record | None:
    for session in world.several(TRIES):
        video = session.video
        if video and session.playing:
            session.position, session.playing = _reached(session, video, now), False
            return world.write("VIDEO_PAUSED", session, now, _position(session, video, session.position))
    return None


@script("VIDEO_SEEKED", "video_id", "course_id", "session_id", "from_seconds", "to_seconds")
def _seeked(world: World, now: int) -> Record | None:
    for session in world.several(TRIES):
        video = session.video
        if video:
            before, length = _reached(session, video, now), video[1]
            session.position = min(length, before + world.below(length)) if world.below(3) else world.below(before + 1)
            session.since = now
            span = f',"from_seconds":{before},"to_seconds":{session.position}'
            return world.write("VIDEO_SEEKED", session, now, video[0] + session.tail + span)
    return None


@script("VIDEO_COMPLETED", "video_id", "course_id", "session_id", "position_seconds")
def _completed(world: World, now: int) -> Record | None:
    for session in world.several(TRIES * 2):
        video = session.video
        if video and session.playing and (reached := _reached(session, video, now)) >= video[1] * 0.9:
            event = world.write("VIDEO_COMPLETED", session, now, _position(session, video, reached))
            session.video, session.playing = None, False
            return event
    return None


@script("VIDEO_WATCHED", "video_id", "course_id", "watch_duration_seconds", "session_id", "video_duration_seconds")
def _watched(world: World, now: int) -> Record | None:
    session = world.student_session()
    if session is None:
        return None
    video = session.video
    if video and session.playing:
        since, session.mark = session.mark, now
    else:
        video, since = world.choose(world.enrolment(session.person).course.videos), session.last
    watched = min(video[1], (now - since) // SECOND)
    tail = f'{video[0]}{session.tail},"watch_duration_seconds":{watched},"video_duration_seconds":{video[1]}'
    return world.write("VIDEO_WATCHED", session, now, tail)
