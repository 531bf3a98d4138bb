"""What every process needs and no domain decides: settings, command line, logs, metrics, storage, Spark and Kafka."""
