"""What a person asked for: the condition tree, parsed, validated and put into words. PURE, except `scope_from_db`."""
