"""Tables that a spreadsheet opens without running anything of what is in them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# A cell that begins with one of these would be taken for a formula, or begin one in the next cell; the wide forms too.
FORMULA = "^[=+\\-@\t\r\n＝＋－＠]"
MARK = "'"


def harmless(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before every text that would be taken for a formula; numbers stay numbers."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table[place]
            marked = pc.binary_join_element_wise(MARK, column, "")
            table = table.set_column(
                place, field, pc.if_else(pc.match_substring_regex(column, FORMULA), marked, column)
            )
    return table
