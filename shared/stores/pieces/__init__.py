"""What every object store does alike: it writes, reads and joins objects in pieces."""
