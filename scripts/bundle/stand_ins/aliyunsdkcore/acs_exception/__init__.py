"""Stands in for the package of the SDK's exceptions."""
