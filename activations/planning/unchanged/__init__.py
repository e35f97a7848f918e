"""Plans a check for drift, or a run that restores: the records that are as they were accepted."""
