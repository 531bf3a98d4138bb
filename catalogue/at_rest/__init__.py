"""What the layers hand each other through the store: raw files, runs, deltas, the ledger."""
