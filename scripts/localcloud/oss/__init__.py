"""The local OSS: real HTTP on 127.0.0.1 over a plain directory, so that oss2 works unmodified."""
