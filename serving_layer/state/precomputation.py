"""Computes the rows of persons whom deltas touched before somebody asks for them, in the views that people ask for."""

from __future__ import annotations

import threading

from runtime.logs import Log
from serving_layer.state.serving_state import ServingState

LOOK_SECONDS = 0.02
RETRY_SECONDS = 1.0
LOG = Log("serving")


class Precomputation(threading.Thread):
    """Works beside the requests until stopped. Where it can't, requests compute what they need."""

    def __init__(self, state: ServingState):
        super().__init__(daemon=True, name="precomputation")
        self.state = state
        self.stopping = threading.Event()

    def stop(self) -> None:
        """Stop, and wait for the current step."""
        self.stopping.set()
        if self.is_alive():
            self.join(30)

    def run(self) -> None:
        """Look for persons without rows until stopped."""
        while not self.stopping.wait(LOOK_SECONDS):
            if self.state.generation is None:
                continue
            try:
                with self.state.reading() as generation:
                    for topic in generation.topics.values():
                        for view, persons in topic.persons.items():
                            if persons.wanted and not self.stopping.is_set():
                                topic.compute_ahead(view)
            except Exception as error:  # answers stay right without it
                LOG.warning(
                    "rows could not be computed ahead", error=f"{type(error).__name__}: {error}".splitlines()[0]
                )
                self.stopping.wait(RETRY_SECONDS)
