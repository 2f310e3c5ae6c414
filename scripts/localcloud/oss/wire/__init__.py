"""OSS over HTTP: requests, answers and their bodies."""
