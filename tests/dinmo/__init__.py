"""Tests of the roof: settings, the workspace file, commands and the one-machine runtime."""
