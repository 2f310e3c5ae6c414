"""Function Compute's custom runtime: the same handlers behind an HTTP server."""
