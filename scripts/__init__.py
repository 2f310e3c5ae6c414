"""Command-line programs; nothing here is deployed."""
