"""PURE. Columns of source values become JSON: of one column, of texts made from several, or of rounded numbers."""
