"""Run benchmarks: `python -m tests.benchmarks [batch|increment|ingestion …] [--events N]`; all of them by default."""

from __future__ import annotations

import argparse

from tests.benchmarks import (
    batch,
    collector,
    dashboard,
    erasure,
    executors,
    freshness,
    growth,
    identity,
    increment,
    ingestion,
    limits,
    machine,
    memory,
    oozie,
    replay,
    serving,
    speed,
)

BENCHMARKS = {
    "batch": batch.run,
    "increment": increment.run,
    "executors": executors.run,
    "cluster": executors.run_on_cluster,
    "limits": limits.run,
    "growth": growth.run,
    "ingestion": ingestion.run,
    "landing": ingestion.run_with_executors,
    "speed": speed.run,
    "freshness": freshness.run,
    "serving": serving.run,
    "memory": memory.run,
    "identity": identity.run,
    "erasure": erasure.run,
    "oozie": oozie.run,
    "replay": replay.run,
    "collector": collector.run,
    "dashboard": dashboard.run,
}


def main() -> None:
    """Run the named benchmarks and print their figures as Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--events", type=int, default=2_000_000)
    options = parser.parse_args()
    for name in options.names or BENCHMARKS:
        print(machine.told(), flush=True)
        BENCHMARKS[name](options.events)


if __name__ == "__main__":
    main()
