"""The kinds of storage behind `catalogue.storage.open_store`."""
