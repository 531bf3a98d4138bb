"""The schema of the projection, printed from the catalogue: a table per view, with types, comments and row rules.

Tables have no primary key: NULL is a value of a view's key like others, and ids may be longer than PostgreSQL's B-trees
take. Rows are one per key because the views' are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from catalogue.views import VIEWS
from catalogue.views.columns import view_columns
from catalogue.views.disclosure import disclosure
from catalogue.views.view import View
from serving_layer.identity.viewer import ROLES
from serving_layer.projection.row_rules import POLICY, condition, functions

SCHEMA = "learning"
TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
_ROLES = ", ".join(f"'{role}'" for role in ROLES)
# What stands beside the views, made where it is missing; `viewers` is filled by who runs the database.
BESIDE = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.viewers (login text PRIMARY KEY, role text NOT NULL, "
    "person text NOT NULL DEFAULT '')",
    f"ALTER TABLE {SCHEMA}.viewers DROP CONSTRAINT IF EXISTS known_role, "
    f"ADD CONSTRAINT known_role CHECK (role IN ({_ROLES}))",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.teaches (person text NOT NULL, course text NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.advises (person text NOT NULL, student text NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.as_of (number bigint NOT NULL, run text, cut jsonb NOT NULL, "
    "head jsonb NOT NULL, watermark timestamptz, written_at timestamptz NOT NULL)",
    f"GRANT SELECT ON {SCHEMA}.as_of TO PUBLIC",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.projected (view text PRIMARY KEY, digest text NOT NULL)",
    *functions(SCHEMA),
)


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Table:
    """The table of a view; `kinds` are DuckDB's types by column, in order."""

    view: View
    kinds: dict[str, str]

    @property
    def name(self) -> str:
        """The table, with its schema."""
        return f'{SCHEMA}."{self.view.name}"'

    @property
    def columns(self) -> str:
        """The names of its columns, as a list in SQL."""
        return ", ".join(f'"{column}"' for column in self.kinds)

    @property
    def types(self) -> dict[str, str]:
        """PostgreSQL's type of each column."""
        return {column: TYPES[kind] for column, kind in self.kinds.items()}

    @property
    def statements(self) -> list[str]:
        """What makes it, empty."""
        rule, name = disclosure(self.view), self.name
        declared = ", ".join(f'"{column}" {kind}' for column, kind in self.types.items())
        about = f"One row per {', '.join(self.view.key)}. Events of {self.view.topic}."
        made = [f"CREATE TABLE {name} ({declared})", f"COMMENT ON TABLE {name} IS {literal(about)}"]
        for column, meaning in self.view.meanings.items():
            made.append(f'COMMENT ON COLUMN {name}."{column}" IS {literal(meaning)}')
        for column in dict.fromkeys(filter(None, (self.view.shard, rule.person, rule.course))):
            # A hash takes texts of any length.
            method = "hash" if self.kinds[column] == "VARCHAR" else "btree"
            made.append(f'CREATE INDEX ON {name} USING {method} ("{column}")')
        return [
            *made,
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"CREATE POLICY {POLICY} ON {name} FOR SELECT USING ({condition(self.view, SCHEMA)})",
            f"GRANT SELECT ON {name} TO PUBLIC",
        ]

    @property
    def digest(self) -> str:
        """Tells its declarations from others."""
        return hashlib.sha256("\n".join(self.statements).encode()).hexdigest()[:16]


def tables() -> dict[str, Table]:
    """The table of every view."""
    columns = view_columns()
    return {name: Table(view, columns[name]) for name, view in VIEWS.items()}
