"""The zips that are deployed, imported as Function Compute does: from one folder and nothing else.

Needs the package index for libraries that are not yet under build/libraries.
"""

from __future__ import annotations

import json
import platform
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import openpyxl
import pytest

from scripts.benchmarks.cold.calls import first_calls, local_services
from scripts.bundle.bytecode import Interpreter, find_interpreter
from scripts.bundle.contents import STAND_INS, place
from scripts.bundle.libraries import Target, libraries_for
from scripts.bundle.zips import LARGE_ZIP_BYTES, ROOT, Built, build, runtimes
from scripts.localcloud.cos.local_cos import LocalCos
from scripts.localcloud.oss.local_oss import LocalOss
from tests.support.certificates import certificate, sign

# The SDKs of the providers and their stores: only what speaks to them holds them.
CLOUDS = {"cos-python-sdk-v5", "openai", "tencentcloud-sdk-python-common", "tos", "volcenginesdk-core"}
# What a function must contain. It contains no other costly library: openai takes most of a cold
# start, and flask serves two functions.
INSIDE = {
    "validate": {
        "oss2",
        "fastcrc",
        "jinja2",
        "pyyaml",
        "jsonschema-rs",
        "isal",
        "python-calamine",
        "pyarrow",
        *("openai", "httpx2"),  # it asks samples
    },
    "submit": {"oss2", "fastcrc", "httpx2", "pyyaml", *CLOUDS},  # it reads budget.yaml
    "callback": {"oss2", "fastcrc", "flask", "jinja2", "werkzeug", "pycryptodome"},
    "message": {"oss2", "fastcrc"},
    "collect": {"oss2", "fastcrc", "httpx2", "orjson", "jsonschema-rs", "pyarrow", "pyyaml", *CLOUDS},
    "reconcile": {"oss2", "fastcrc", "pyyaml", *CLOUDS},  # it reads budget.yaml
    "notify": {"oss2", "fastcrc", "requests"},
    "page": {
        *("oss2", "fastcrc", "flask", "werkzeug", "jinja2", "pyyaml", "jsonschema-rs"),
        *("isal", "python-calamine", "pyarrow", "openai", "httpx2"),
    },
}
COSTLY = {"flask", "jinja2", "pyyaml", "isal", "python-calamine", "pyarrow", *CLOUDS}
# Parquet takes 27 MB of a zip, so only what reads or writes it may be large.
LARGE = {"validate", "collect", "page"}
EVERYTHING = set[str]().union(*INSIDE.values())

FUNCTION_COMPUTE_RUNS_HERE = (sys.platform, platform.machine()) == ("linux", "x86_64")

# Only the standard library and the unpacked zip: each module comes from one of them, compiled.
IMPORT = """
import importlib.machinery, sys
standard = tuple(sys.path)
assert not [path for path in standard if "site-packages" in path], standard
def compiles(loader, content, path, **named):
    raise AssertionError(f"{path} is compiled while it is imported")
importlib.machinery.SourceFileLoader.source_to_code = compiles
sys.path.insert(0, sys.argv[1])
import index
assert callable(index.handler)
strangers = [
    name for name, module in sys.modules.items()
    if getattr(module, "__file__", None) and not module.__file__.startswith((sys.argv[1], *standard))
]
assert not strangers, strangers
"""


@dataclass(frozen=True)
class Site:
    """Where zips are to run: an interpreter, the zips for it, and where they are unpacked."""

    interpreter: Interpreter
    target: Target
    tag: str
    built: dict[str, Built]
    unpacked: Path

    def folder(self, function: str) -> Path:
        """The function's zip, unpacked once for all tests: nothing that they run writes there."""
        folder = self.unpacked / function
        if not folder.exists():
            with ZipFile(self.built[function].path) as archive:
                archive.extractall(folder)
        return folder

    def run(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.interpreter.path, "-I", "-S", "-B", "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Every function for Function Compute's Python, or for ours where that is not here."""
    target, interpreter = Target.current(), find_interpreter(Target.current().python)
    if FUNCTION_COMPUTE_RUNS_HERE and (found := find_interpreter("3.10")):
        target, interpreter = Target.function_compute("3.10"), found
    assert interpreter
    out = tmp_path_factory.mktemp("dist")
    built = {
        function: build(function, target, root=ROOT, out=out, interpreter=interpreter)
        for function in runtimes(ROOT / "template.yaml")
    }
    return Site(interpreter, target, f"cpython-{target.python.replace('.', '')}", built, out / "unpacked")


def check_zip(built: Built, site: Site) -> None:
    """Import it, and look for what must not be inside."""
    with ZipFile(built.path) as archive:
        names = archive.namelist()
    alien = [
        name for name in names if name.endswith(".so") and not any(tag in name for tag in (site.tag, "abi3"))
    ]

    answer = site.run(IMPORT, str(site.folder(built.function)))

    assert answer.returncode == 0, answer.stderr
    assert alien == []
    assert [name for name in names if name.startswith(("tests/", "scripts/")) or "/SelfTest/" in name] == []
    assert [name for name in names if name.endswith(".pyc") and f".{site.tag}.pyc" not in name] == []
    assert built.zip_bytes <= (built.large_bytes if built.function in LARGE else LARGE_ZIP_BYTES)


@pytest.mark.parametrize("function", sorted(INSIDE))
def test_every_function_runs_from_its_zip_with_only_what_it_imports(function: str, site: Site) -> None:
    built = site.built[function]

    check_zip(built, site)
    assert set(built.distributions) & EVERYTHING >= INSIDE[function]
    assert not COSTLY & (set(built.distributions) - INSIDE[function])


def test_the_template_names_these_functions() -> None:
    assert set(runtimes(ROOT / "template.yaml")) == set(INSIDE)


def test_no_zip_holds_what_oss2_imports_and_nothing_uses(site: Site) -> None:
    for built in site.built.values():
        with ZipFile(built.path) as archive:
            crcmod = {
                name for name in archive.namelist() if name.startswith("crcmod/") and name.endswith(".py")
            }

        # Its modules with the slow loops are _crcfunpy and crcmod itself.
        assert crcmod == {"crcmod/__init__.py"}
        assert set(built.distributions).isdisjoint({*STAND_INS, "cryptography", "cffi", "jmespath"})
        assert ("pycryptodome" in built.distributions) == (built.function == "callback")


# A signed put and get with oss2 as our adapter opens it, then as oss2 does, with its own check.
EXCHANGE = """
import io, json, sys
sys.path.insert(0, sys.argv[1])
from shared.stores.oss.store import open_oss_store
url, region, bucket, key, secret = json.loads(sys.argv[2])
content = bytes(range(256)) * 4096
store = open_oss_store(url, region, bucket, access_key_id=key, access_key_secret=secret, security_token=None)
store.put("ours", content)
with store.open_writer("parts") as writer:
    for _ in range(9):
        writer.write(content)
    writer.commit()
assert store.get("ours") == content and store.get("parts") == content * 9
import oss2
theirs = oss2.Bucket(oss2.AuthV4(key, secret), url, bucket, region=region)
assert theirs.enable_crc
put = theirs.put_object("theirs", io.BytesIO(content))
got = theirs.get_object("theirs")
assert got.read() == content
assert put.crc == got.client_crc == got.server_crc, (put.crc, got.client_crc, got.server_crc)
try:
    oss2.AliKMSProvider("id", "secret", "region", "key")
except NotImplementedError as error:
    print(error)
"""


# What it takes to check who signed an event, and that it is not loaded before.
VERIFY = """
import sys
sys.path.insert(0, sys.argv[1])
import index
assert "shared.runtime.certificates" not in sys.modules
assert "Crypto.Signature.pkcs1_15" not in sys.modules
from shared.runtime.certificates import CertificateVerifier, _is_signature, _parsed
key = _parsed(bytes.fromhex(sys.argv[2]))
print([_is_signature(key, bytes.fromhex(sys.argv[3]), text) for text in (b"signed", b"other")])
"""


# Reads a file of each format that needs a library of its own, then writes Parquet.
READ = """
import gzip, io, json, sys
sys.path.insert(0, sys.argv[1])
from shared.formats.gzip_chunks import unpack_gzip
from shared.inputs.rows import Observations
from shared.inputs.formats import FORMATS
class File:
    def local_copy(self):
        return open(path, "rb")
for name, path in json.loads(sys.argv[2]).items():
    print([tuple(each.cells) for each in FORMATS[name].read_table(File(), None, Observations())])
print(b"".join(unpack_gzip([gzip.compress(b"packed")], print)))
import pyarrow, pyarrow.parquet
from shared.problems.exceptions import UserInputError
values = pyarrow.array([[1.0, 2.0], None], pyarrow.list_(pyarrow.float32(), 2))
pyarrow.parquet.write_table(pyarrow.table({"v": values}), path)
try:
    print([each.cells[0] for each in FORMATS["parquet"].read_table(File(), None, Observations())])
except UserInputError as refused:
    print(pyarrow.__version__ < "26" and [each.code for each in refused.problems])
"""
WRITE = """
import sys
sys.path.insert(0, sys.argv[1])
from shared.results.tables.arrow_columns import COUNT
from shared.results.tables.parquet_result import write_parquet
with open(sys.argv[2], "wb") as file:
    write_parquet([b'{"a":"x","created":1}'], {1: COUNT}, file)
"""


def test_every_format_is_read_and_written_from_the_zips(site: Site, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", 1])
    paths = {name: str(tmp_path / f"table.{name}") for name in ("xlsx", "parquet")}
    book.save(paths["xlsx"])

    wrote = site.run(WRITE, str(site.folder("collect")), paths["parquet"])
    read = site.run(READ, str(site.folder("validate")), json.dumps(paths))

    assert wrote.returncode == 0, wrote.stderr
    *plain, vectors, _ = read.stdout.split("\n")
    assert plain == ["[('a', '1')]", "[('a', 'created'), ('x', '1')]", "b'packed'"], read.stderr
    assert vectors in {"['v', '[1.0, 2.0]', '']", "['fixed_lists_with_nulls']"}


def linked_names(library: Path) -> tuple[set[bytes], set[bytes]]:
    """What an ELF file offers to others, and what it wants of them."""
    content = library.read_bytes()
    place, size, count = struct.unpack_from("<40xQ10xHH", content)
    sections = [struct.unpack_from("<4xI16xQQI", content, place + size * at) for at in range(count)]
    _, first, length, names_at = next(each for each in sections if each[0] == 11)  # SHT_DYNSYM
    names = sections[names_at][1]
    offered, wanted = set[bytes](), set[bytes]()
    for name, _, section, _, _ in struct.iter_unpack("<IHHQQ", content[first : first + length]):
        at = names + name
        (offered if section else wanted).add(content[at : content.index(b"\0", at)])
    return offered, wanted


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's")
def test_what_is_left_of_pyarrow_uses_nothing_of_what_is_left_out(site: Site) -> None:
    """Else its import would fail, on the older C++ library of Function Compute perhaps alone."""
    installed = libraries_for(site.target, ROOT / "requirements.lock", ROOT / "build" / "libraries")
    names = {path: linked_names(path) for path in (installed.folder / "pyarrow").glob("*.so*")}
    kept = {path for path in names if place("pyarrow", PurePosixPath("pyarrow", path.name))}

    offered = set[bytes]().union(*(names[path][0] for path in kept))
    wanted = set[bytes]().union(*(names[path][1] for path in kept)) - offered
    elsewhere = set[bytes]().union(*(names[path][0] for path in names.keys() - kept))

    assert len(offered) > 1000 < len(elsewhere)
    assert sorted(wanted & elsewhere) == []


@pytest.fixture
def local_bucket(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """What it takes to use a bucket of a local OSS: URL, region, name and keys."""
    keys = {"key": "secret"}
    with LocalOss(tmp_path / "oss", keys, "cn-beijing", lambda _: None) as oss:
        oss.storage.create_bucket("bucket")
        yield oss.url, "cn-beijing", "bucket", "key", "secret"


def test_oss2_reads_and_writes_from_a_zip_without_what_was_left_out(
    site: Site, local_bucket: tuple[str, ...]
) -> None:
    answer = site.run(EXCHANGE, str(site.folder("callback")), json.dumps(local_bucket))

    assert answer.stdout.strip().endswith("is not part of this function's zip"), answer.stderr


# The store's calls, and the client of TI-ONE's API.
TENCENT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from shared.stores.cos.store import open_cos_store
import shared.providers.tione.api
address, bucket = json.loads(sys.argv[2])
store = open_cos_store("ap-shanghai", bucket, secret_id="key", secret_key="secret", address=address)
content = bytes(5_000_000)
with store.open_writer("parts") as writer:
    writer.write(content)
    writer.commit()
store.concatenate("twice", ["parts", "parts"])
assert store.get("twice") == content * 2 and not store.put_if_absent("twice", b"")
print([head.size_bytes for head in store.list("")])
"""


def test_tencents_sdks_work_from_a_zip_without_what_was_left_out(site: Site, tmp_path: Path) -> None:
    bucket = "bucket-1250000000"
    with LocalCos(tmp_path / "cos", {"key": "secret"}, "ap-shanghai") as cos:
        cos.storage.create_bucket(bucket)
        answer = site.run(TENCENT, str(site.folder("reconcile")), json.dumps([cos.address, bucket]))

    assert answer.stdout == "[5000000, 10000000]\n", answer.stderr


def test_signatures_are_verified_from_the_callbacks_zip(site: Site) -> None:
    folder = str(site.folder("callback"))

    answer = site.run(VERIFY, folder, certificate().hex(), sign(b"signed").hex())

    assert answer.stdout == "[True, False]\n", answer.stderr


def test_a_file_goes_from_the_inbox_to_its_result_through_the_zips(site: Site, tmp_path: Path) -> None:
    folders = {function: site.folder(function) for function in site.built}

    with local_services(tmp_path / "services") as services:
        costs = first_calls(site.interpreter.path, folders, services, 1)

        assert set(costs) == set(INSIDE) - {"notify"}  # nobody is to be told
        result = services.store.get("results/1/rows.csv").decode("utf-8-sig")
        assert [line.split(",")[:2] for line in result.split("\r\n")][1:3] == [["1", "你好"], ["2", "hello"]]


def test_a_library_in_a_zip_still_knows_its_version(site: Site) -> None:
    answer = site.run(
        "import sys; sys.path.insert(0, sys.argv[1]); from importlib.metadata import version; print(version('flask'))",
        str(site.built["callback"].path),
    )

    assert answer.stdout.startswith("3."), answer.stderr
