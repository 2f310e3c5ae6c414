"""Stands in for the SDK's request formats."""

from . import LeftOut

format_type = LeftOut()
method_type = LeftOut()
