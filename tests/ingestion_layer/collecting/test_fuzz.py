"""A light part of `make test-collector`: bodies that nobody should send."""

from __future__ import annotations

import pytest

from tests.ingestion_layer.collecting.fuzz import ROUTES, fuzzed


@pytest.mark.parametrize("standard", ROUTES)
def test_odd_bodies_are_answered_below_500(shared_collector, topics, standard):
    statuses = fuzzed(shared_collector.address, standard, 150, 7, topics)
    assert statuses.get(200, 0) > 10 and len(statuses) > 1
