"""Stands in for the keys of pairs."""

from . import LeftOut

RSA = LeftOut()
