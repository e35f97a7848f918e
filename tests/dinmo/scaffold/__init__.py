"""The commands that write the folder of a new plug-in, run in a copy of the project."""
