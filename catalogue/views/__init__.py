"""The catalogue of rollups and views, one module per topic. To add a view, edit its topic's module."""

from catalogue.views import assessment, auth, course, notification, profile, video
from catalogue.views.rollups import Rollup, View

_MODULES = (auth, assessment, video, course, profile, notification)
ROLLUPS: dict[str, Rollup] = {r.name: r for m in _MODULES for r in m.ROLLUPS}
VIEWS: dict[str, View] = {v.name: v for m in _MODULES for v in m.VIEWS}

__all__ = ["ROLLUPS", "VIEWS"]
