"""What the batch layer fixes for itself; everything else is a setting or stands in the catalogue."""

# Raw files that one statement reads.
FILES_PER_READ = 500
# At most so many bytes of raw events are computed by this process where the master is local: Spark on the same machine
# would take longer to start than they take.
SMALL_INPUT = 2**30
# How many times larger a compressed raw file's events are, to tell how much is new.
COMPRESSION = 8
# The recent part of a state joins the settled one when it has more than a row for so many of the settled one's.
SETTLED_PER_RECENT = 4
# Only a view's rows with new events are computed where the view has more than so many rows for each of them.
ROWS_PER_CHANGED = 2
# About how many bytes of raw events one task reads.
SLICE_BYTES = 512 * 2**20
# About how many bytes of raw events one bucket of a topic's state is made of, where it is made anew.
BUCKET_BYTES = 4 * 2**30
# Views that draw on several buckets are made in tasks of about so many bytes of the state's files; smaller ones whole.
VIEW_BYTES = 256 * 2**20
