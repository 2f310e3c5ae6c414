"""The local TOS: real HTTP on 127.0.0.1 over a directory, so that ``tos`` works unmodified."""
