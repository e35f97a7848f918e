"""PURE. Blocks of COPY's rows in CSV format, as Arrow batches."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv

from core.errors import Misconfigured
from segments.engines.batches import LARGEST_ROW, row_too_large


def parse(block: bytearray, schema: pa.Schema) -> pa.RecordBatch:
    """The rows of a block.

    Raises:
        Misconfigured: the block is too large, or is not in UTF-8.
    """
    if len(block) > LARGEST_ROW:
        raise row_too_large()
    names = [str(position) for position in range(len(schema))]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
            # A row that consists of one null is an empty line.
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict(zip(names, schema.types, strict=True)),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        message = (
            "The database sent text that is not UTF-8. Convert the column in a query, or fix the database's encoding."
        )
        raise Misconfigured("source_encoding", message, detail=type(error).__name__) from None
    arrays = [column.combine_chunks() for column in table.columns]
    return pa.record_batch(arrays, schema=schema)
