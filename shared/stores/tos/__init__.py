"""The object store on Volcengine TOS."""
