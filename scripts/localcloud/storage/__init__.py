"""The objects of a local store: files in a directory, described by an index; nothing of HTTP."""
