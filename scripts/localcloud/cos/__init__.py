"""The local COS: real HTTP on 127.0.0.1 over a directory, so that COS's SDK works unmodified."""
