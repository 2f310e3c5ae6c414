"""Which files of a package go into a zip; what is left out, and why nothing misses it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

# Only directories: jinja2/tests.py and werkzeug/test.py are part of what runs.
_LEFT_OUT_FOLDERS = frozenset({"test", "tests", "SelfTest", "__pycache__"})
_LEFT_OUT_SUFFIXES = (".pyc", ".pyi")
# Libraries read their version from METADATA; licences have to go along. The rest is for installers.
_KEPT_OF_DIST_INFO = ("METADATA", "entry_points.txt")

STAND_INS_FOLDER = Path(__file__).with_name("stand_ins")

# oss2 imports these whatever it is used for, and the SDKs import cryptography: 16 MB unpacked,
# 12 MB of memory and a fifth of the time that message takes to load. No function encrypts objects.
# pycryptodome are 12 MB more, 16 MB of memory, and a third of the time that oss2 takes to load.
# tests/e2e/test_build.py lets oss2 read and write out of a zip, with oss2's own check on too.
# By distribution, the folder under stand_ins that a zip holds in its place.
STAND_INS = {
    "aliyun-python-sdk-core": "aliyunsdkcore",
    "aliyun-python-sdk-kms": "aliyunsdkkms",
    "crcmod": "crcmod",  # uses fastcrc, which our own store imports wherever oss2 is; COS's SDK wants it, too
}

# The same, but not for a function whose own modules import it.
STAND_INS_UNLESS_OURS = {"pycryptodome": "Crypto"}

_OTHER_RESOURCES = ("admin", "beta", "evals", "fine_tuning", "live", "realtime", "vector_stores")
# Parts of libraries that no function runs, by distribution, as patterns of paths.
LEFT_OUT: dict[str, Sequence[str]] = {
    # Objects that the client encrypts, and speech: nothing of the SDK imports them.
    "cos-python-sdk-v5": (
        "qcloud_cos/cos_encryption_client.py",
        "qcloud_cos/crypto.py",
        "qcloud_cos/intelligent_speech.py",
    ),
    # The functions do one call at a time.
    "tencentcloud-sdk-python-common": ("tencentcloud/*_async.py",),
    # Resources of which the batches' client asks for none; each is loaded when it is asked for.
    "openai": (
        *(f"openai/{kind}/{name}/*" for kind in ("resources", "types") for name in _OTHER_RESOURCES),
        "openai/cli/*",
    ),
    # Its sources in C++, which the compiled module holds.
    "pysimdjson": ("simdjson/*.cpp", "simdjson/*.h", "simdjson/*.pyx", "simdjson/*.pxd"),
    # Times are UTC's alone, of which both know without a table.
    "python-dateutil": ("dateutil/zoneinfo/*.tar.gz",),
    "pytz": ("pytz/zoneinfo/*",),
    # 57 MB become 27: Flight (RPC), cloud file systems, HDFS, ORC, headers and sources, and what a
    # wheel holds twice because it cannot hold links. Parquet reads and writes in all compressions
    # without them. What is left is linked against dataset, acero and substrait, and uses nothing
    # of them; of compute it uses functions.
    "pyarrow": (
        "pyarrow/include/*",
        "pyarrow/includes/*",
        "pyarrow/src/*",
        "pyarrow/*flight*",
        "pyarrow/*dataset*",
        "pyarrow/*acero*",
        "pyarrow/*substrait*",
        "pyarrow/*feather*",
        "pyarrow/*encryption*",
        "pyarrow/_csv*",
        "pyarrow/_json*",
        "pyarrow/libarrow_s3*",
        "pyarrow/_s3fs*",
        "pyarrow/_gcsfs*",
        "pyarrow/_azurefs*",
        "pyarrow/_hdfs*",
        "pyarrow/_orc*",
        "pyarrow/_pyarrow_cpp_tests*",
        "pyarrow/libarrow_python.so",
        "pyarrow/libarrow_python.so.*.*.*",
        "pyarrow/*.pyx",
        "pyarrow/*.pxd",
        "pyarrow/*.pxi",
    ),
}


def stand_in_files(distribution: str) -> dict[str, bytes]:
    """What a zip holds in place of this distribution, by path."""
    folder = STAND_INS_FOLDER / {**STAND_INS, **STAND_INS_UNLESS_OURS}[distribution]
    return {
        path.relative_to(STAND_INS_FOLDER).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.py"))
    }


def is_left_out(path: PurePosixPath) -> bool:
    return not _LEFT_OUT_FOLDERS.isdisjoint(path.parts[:-1]) or path.suffix in _LEFT_OUT_SUFFIXES


def place(distribution: str, path: PurePosixPath) -> str | None:
    """Where an installed file of a distribution goes in a zip; ``None`` for what is left out."""
    if path.parts[0].endswith(".dist-info") and not (
        path.name in _KEPT_OF_DIST_INFO or "LICEN" in path.name.upper()
    ):
        return None
    omitted = any(fnmatchcase(str(path), each) for each in LEFT_OUT.get(distribution, ()))
    return None if omitted or is_left_out(path) else str(path)
