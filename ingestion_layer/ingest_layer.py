"""Land raw events in HDFS: `python ingestion_layer/ingest_layer.py [--once]`; HDFS_MASTER_DATASET names the folder."""

import sys

from ingestion_layer.ingest_command import main

if __name__ == "__main__":
    sys.exit(main(description=__doc__, to_hdfs=True))
