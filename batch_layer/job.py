"""A batch job as a value: the topics that it reads, the rollups that it keeps of them, the views that it publishes."""

from __future__ import annotations

from dataclasses import dataclass

from batch_layer.run_batch_jobs import main
from catalogue.views.rollups import Rollup
from catalogue.views.view import View


@dataclass(frozen=True)
class Job:
    """One of the jobs, with its part of the catalogue of views."""

    name: str
    topics: tuple[str, ...]
    rollups: tuple[Rollup, ...]
    views: tuple[View, ...]

    def described(self) -> str:
        """What it computes, a line each."""
        rollups = [f"  {r.name}: {', '.join(m.name for m in r.measures)} by {', '.join(r.grain)}" for r in self.rollups]
        views = [f"  {v.name} by {', '.join(v.key)}: {', '.join(_values(v))}" for v in self.views]
        return "\n".join([f"reads {', '.join(self.topics)}", "keeps", *rollups, "publishes", *views])

    def main(self, arguments: list[str]) -> int:
        """Run it alone with `arguments` behind its name; the exit status of `run_batch_jobs`."""
        return main([self.name, *arguments], about=self.described())


def _values(view: View) -> list[str]:
    return [column for column in view.meanings if column not in view.key]
