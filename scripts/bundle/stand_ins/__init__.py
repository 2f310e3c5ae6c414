"""What a zip holds in place of libraries that oss2 imports and no function uses.

Each package here has the name of the library that it replaces, and nothing but what oss2 asks of
it; see ``contents.STAND_INS``.
"""
