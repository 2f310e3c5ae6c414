"""Whole stages over HTTP, beside the plain way to move the same bytes."""
