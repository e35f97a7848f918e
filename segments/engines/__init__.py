"""One folder for each engine. A folder exports ENGINES, and nothing else has to be edited to add one."""
