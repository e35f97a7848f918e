"""Destination services as other people would write them, loaded in tests like folders of `destinations/services`."""
