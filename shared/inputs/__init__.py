"""A dropped file to request rows, whatever its format; the registry of formats."""
