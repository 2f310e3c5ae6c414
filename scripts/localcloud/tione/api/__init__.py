"""TI-ONE's interface: signed calls of named actions; errors come with status 200."""
