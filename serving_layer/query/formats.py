"""Rows as bytes: JSON, CSV, Parquet and Arrow."""

from __future__ import annotations

import codecs
import io
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from serving_layer.query.spreadsheet import harmless

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
_JSON = orjson.OPT_UTC_Z


def json_bytes(value: Any) -> bytes:
    """JSON with ISO days and times with Z."""
    return orjson.dumps(value, option=_JSON)


def table_bytes(table: pa.Table, form: str, spreadsheet: bool = False) -> bytes:
    """A table in a format other than JSON; `spreadsheet` makes of CSV what a spreadsheet opens safely."""
    sink = io.BytesIO()
    if form == "csv":
        table = _iso_times(table)
        if spreadsheet:
            sink.write(codecs.BOM_UTF8)
            table = harmless(table)
        pacsv.write_csv(table, sink)
    elif form == "parquet":
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    return sink.getvalue()


def _iso_times(table: pa.Table) -> pa.Table:
    """Times as text in the form of the JSON answers."""
    for number, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            texts = [
                orjson.dumps(v, option=_JSON).decode().strip('"') if v else None for v in table[number].to_pylist()
            ]
            table = table.set_column(number, field.name, pa.array(texts, pa.string()))
    return table
