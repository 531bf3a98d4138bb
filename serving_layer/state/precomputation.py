"""Computes the rows of persons whom deltas touched before somebody asks for them, in the views that people ask for."""

from __future__ import annotations

from runtime.background import Background
from runtime.logs import Log
from serving_layer.state.serving_state import ServingState

LOOK_SECONDS = 0.02
RETRY_SECONDS = 1.0
LOG = Log("serving")


class Precomputation:
    """Works beside the requests until stopped. Where it can't, requests compute what they need: answers stay right."""

    def __init__(self, state: ServingState):
        self.state = state
        self._background = Background("precomputation", LOG, self._step, LOOK_SECONDS, RETRY_SECONDS)

    def start(self) -> None:
        """Look for persons without rows from now on."""
        self._background.start()

    def stop(self) -> None:
        """Stop, and wait for the current step."""
        self._background.stop()

    def _step(self) -> None:
        if self.state.generation is None:
            return
        with self.state.reading() as generation:
            for topic in generation.topics.values():
                for view, persons in topic.persons.items():
                    if persons.wanted and not self._background.stopping.is_set():
                        topic.compute_ahead(view)
