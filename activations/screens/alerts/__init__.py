"""The screens of warnings and of the channels that send alerts."""
