"""Damaged rows cost themselves only: a light part of `make test-replays`."""

import pytest

from tests.ingestion_layer.replay_damage import FORMS, run


@pytest.mark.parametrize("form", FORMS)
def test_damaged_rows_are_mapped_or_counted(form):
    assert sum(run(form, 1_500, seed=7)) >= 1_500
