"""Land raw events from Kafka in MinIO or any other S3 store, or from a file in any folder, then without Kafka."""

import sys

from ingestion_layer.ingest_command import main

if __name__ == "__main__":
    sys.exit(main(description=__doc__))
