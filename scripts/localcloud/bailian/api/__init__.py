"""Bailian over HTTP: routes, checks and refusals."""
