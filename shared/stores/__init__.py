"""One package for each kind of object store."""
