"""Folders, S3 buckets and HDFS as one kind of store."""
