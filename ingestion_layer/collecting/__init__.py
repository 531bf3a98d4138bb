"""The collector's parts: who sends, what was sent, Kafka behind it, and a module or package per standard."""
