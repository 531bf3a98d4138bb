"""The domain: events, rollups and views, their SQL, and what the layers hand each other at rest."""
