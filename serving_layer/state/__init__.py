"""What is served: the topics' states over a published run, and the thread that follows the store."""
