"""What was watched: never longer than the clock, each second once."""

from random import Random

from ingestion_layer.replay.moments import DAY, SECOND
from ingestion_layer.replay.playback import FORGOTTEN, Playback, Spans


def at(second: float) -> int:
    return round(second * SECOND)


def test_between_play_and_pause():
    playback = Playback()
    assert playback.play("k", 0, at(0)) is None
    assert playback.stop("k", 30.4, at(30.4)) == (0, 30.4, 30)
    assert playback.stop("k", 40, at(40)) is None, "it was paused"
    assert playback.play("k", 40, at(100)) is None
    assert playback.seek("k", 50, 300, at(110)) == (40, 50, 10)
    assert playback.stop("k", 310, at(115)) == (300, 305, 5), "the clock is the most that counts"
    assert playback.last("k", at(115)) == 310 and playback.last("other", at(115)) is None


def test_a_play_while_it_plays():
    playback = Playback()
    playback.play("k", 0, at(0))
    assert playback.play("k", 30, at(30)) == (0, 30, 30), "where the clock has brought it"
    assert playback.play("k", 500, at(35)) is None, "elsewhere"
    assert playback.stop("k", 510, at(45)) == (500, 510, 10)


def test_parts_of_seconds_add_up_and_never_beyond_the_clock():
    for seed in range(200):
        rng, playback, now, place, watched = Random(seed), Playback(), 0.0, 0.0, 0
        playback.play("k", place, at(now))
        for _ in range(30):
            step = rng.random() * 1.5
            now, place = now + step, place + step
            span = rng.choice((playback.play, playback.stop))("k", place, at(now))
            watched += span[2] if span else 0
            playback.play("k", place, at(now))
        assert abs(watched - now) <= 0.501


def test_a_playing_is_forgotten():
    playback = Playback()
    playback.play("k", 0, 0)
    assert playback.stop("k", 5, FORGOTTEN + DAY) is None


def test_spans_are_a_union():
    for seed in range(200):
        rng, spans, seen, told = Random(seed), Spans(), set(), 0
        for _ in range(20):
            begin = rng.randrange(100)
            end = begin + rng.randrange(1, 30)
            added = spans.add(begin, end)
            fresh = set(range(begin, end)) - seen
            assert sum(seconds for _, _, seconds in added) == len(fresh)
            assert all(set(range(int(a), int(b))) <= fresh for a, b, _ in added)
            seen |= fresh
            told += len(fresh)
        assert told == len(seen)


def test_short_spans_add_up():
    spans = Spans()
    assert sum(s for n in range(20) for _, _, s in spans.add(n, n + 0.45)) == 9
    assert spans.add(0, 19.45) and sum(s for _, _, s in spans.add(0, 19.45)) == 0
