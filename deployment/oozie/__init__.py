"""Oozie 5.2.1 with its Hadoop 3.3.6 (HDFS and YARN) on this machine, on Java 17, from Maven's artefacts."""
