"""Tencent TI-ONE: tasks that run our runner over files in COS, beside a model server."""
