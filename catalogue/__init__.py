"""What the layers share: events, rollups and views, storage, settings and the Spark session."""
