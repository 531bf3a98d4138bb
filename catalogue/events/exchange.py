"""How an event of ours goes along in a document of another standard, so that whoever reads it has the event whole."""

from __future__ import annotations

# What identifiers begin with that are no IRIs of their own: of people, courses, things, verbs.
NAMESPACE = "urn:learning-analytics:"
# The extension, of xAPI and of Caliper, that holds the event as we would have been sent it.
CARRIED = f"{NAMESPACE}event"
