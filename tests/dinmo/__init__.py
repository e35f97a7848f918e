"""Tests of dinmo: settings, the workspace file, commands and the one-machine runtime."""
