"""Land raw events from inside a Kubernetes cluster; settings come from the pod's environment."""

import sys

from ingestion_layer.ingest_command import main

if __name__ == "__main__":
    sys.exit(main(description=__doc__))
