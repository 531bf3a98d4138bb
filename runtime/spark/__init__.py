"""The Spark session, its streams and its workers."""
