"""How each kind of block in a workspace file is read and validated, one module per kind."""
