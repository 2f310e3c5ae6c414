"""The composition root: the one place where use cases are made from settings.

One module for each function, because a zip holds all that its function imports. With one module
for all, every zip would hold Parquet, and ``message`` would grow from 9 to 60 MB.
"""
