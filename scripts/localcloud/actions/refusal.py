"""How an action refuses."""

from __future__ import annotations


class Refusal(Exception):
    """An answer with an error; every action may raise it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
