"""The layers on Spark's standalone cluster: one master and two workers as processes of their own."""
