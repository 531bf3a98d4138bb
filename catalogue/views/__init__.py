"""The catalogue of rollups and views, one module per topic. To add a view, edit its topic's module.

Importing it raises `DeclarationError` with every fault of what is declared.
"""

from catalogue.declarations import refuse
from catalogue.views import assessment, auth, course, notification, profile, video
from catalogue.views.judgement import rollup_faults, view_faults
from catalogue.views.rollups import Rollup
from catalogue.views.view import View

_MODULES = (auth, assessment, video, course, profile, notification)
_ROLLUPS = tuple(r for m in _MODULES for r in m.ROLLUPS)
_VIEWS = tuple(v for m in _MODULES for v in m.VIEWS)
refuse((*rollup_faults(_ROLLUPS, [v.sql for v in _VIEWS]), *view_faults(_VIEWS, _ROLLUPS)))
ROLLUPS: dict[str, Rollup] = {r.name: r for r in _ROLLUPS}
VIEWS: dict[str, View] = {v.name: v for v in _VIEWS}

__all__ = ["ROLLUPS", "VIEWS"]
