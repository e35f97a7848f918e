"""The tags and filters that templates of every app load. Settings name them, because core is not an installed app."""
