"""Land raw events in MinIO or any other S3 store: `python ingestion_layer/minio_ingest.py [--once]`."""

import sys

from ingestion_layer.ingestion import main

if __name__ == "__main__":
    sys.exit(main(description=__doc__))
