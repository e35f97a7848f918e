"""The page that leads from nothing to a first run: its steps, the choice of rows, and the demo. Forms are the apps'."""
