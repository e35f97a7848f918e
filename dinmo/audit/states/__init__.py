"""What the objects of the configuration are like, in the words of the screens. Reads, and never writes."""
