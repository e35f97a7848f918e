"""The commands of accounts, one in each module."""
