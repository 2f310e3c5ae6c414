"""The service over HTTP: signatures, actions, refusals."""
