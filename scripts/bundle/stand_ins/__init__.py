"""What a zip holds in place of libraries that oss2 imports and no function uses; see ``contents.STAND_INS``.

Each package here has the name of the one that it stands in for, and nothing but what oss2 asks of it.
"""
