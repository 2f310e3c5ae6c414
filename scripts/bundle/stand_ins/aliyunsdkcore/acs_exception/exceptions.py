"""Stands in for the SDK's exceptions, which oss2 names in ``except`` clauses."""


class ServerException(Exception):
    """Never raised."""


class ClientException(Exception):
    """Never raised."""
