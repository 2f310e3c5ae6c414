"""The object store on Tencent COS."""
