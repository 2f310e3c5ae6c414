"""COS over HTTP: requests and answers."""
