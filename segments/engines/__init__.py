"""One folder per kind of source. A folder exports ENGINES; nothing else has to be edited to add one."""
