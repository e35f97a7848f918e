"""What the vendor stores for a value: of every type, in lists, cleared, and as people read it."""
