"""One measured process: a function's handler on one event, or the plain way to move the same bytes.

``python -m scripts.benchmarks.stages.process <what> <subject>``; the environment is a function's.
Prints as JSON the seconds of the work, without imports, and the process's peak memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path

CHUNK_BYTES = 256 * 1024
PLAIN_PART_BYTES = 8 * 1024 * 1024
Work = Callable[[], object]


def _handler(function: str) -> Callable[[object, object], object]:
    from shared.runtime.custom.loading import load_handler  # noqa: PLC0415 - only what is measured is loaded

    return load_handler(f"functions.{function}.index.handler")


def _function(name: str, key: str) -> Work:
    """The function's real handler, called as its runtime does."""
    from shared.runtime.context import context_from_builtin  # noqa: PLC0415 - only what is measured is loaded

    handler = _handler(name)
    event = {
        "events": [
            {
                "eventName": "ObjectCreated:PutObject",
                "oss": {"bucket": {"name": os.environ["BUCKET_NAME"]}, "object": {"key": key, "eTag": ""}},
            }
        ]
    }
    context = context_from_builtin(None, os.environ)
    return lambda: handler(json.dumps(event).encode(), context)


def _page(times: str) -> Work:
    """The page's real handler, asked so many times for the newest files of all folders."""
    from shared.runtime.custom.http_shapes import render_http_event  # noqa: PLC0415 - the same

    handler = _handler("page")
    event = render_http_event(
        "GET",
        "/api/jobs",
        [("host", "localhost"), ("x-batchdrop", "page")],
        b"",
        source_ip="127.0.0.1",
        request_id="bench",
        account_id="0",
        received_at=datetime.now(timezone.utc),
    )
    asked = json.dumps(event).encode()
    return lambda: [handler(asked, None) for _ in range(int(times))][-1]


def _list(prefix: str) -> Work:
    import oss2  # noqa: PLC0415 - the same

    bucket = _bucket()
    return lambda: sum(1 for _ in oss2.ObjectIterator(bucket, prefix, max_keys=1000))


def _bucket() -> object:
    import oss2  # noqa: PLC0415 - the same

    auth = oss2.AuthV4(
        os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    )
    where = os.environ["OSS_ENDPOINT"], os.environ["BUCKET_NAME"]
    return oss2.Bucket(auth, *where, region=os.environ["OSS_REGION"], enable_crc=False)


def _object_chunks(bucket: object, key: str) -> Iterator[bytes]:
    result = bucket.get_object(key)  # type: ignore[attr-defined]  # oss2 has no types
    try:
        while chunk := result.read(CHUNK_BYTES):
            yield chunk
    finally:
        result.close()


def _provider_chunks(file_id: str) -> Iterator[bytes]:
    import requests  # noqa: PLC0415 - the same

    url = f"{os.environ['DASHSCOPE_BASE_URL']}/files/{file_id}/content"
    headers = {"Authorization": f"Bearer {os.environ['DASHSCOPE_API_KEY']}"}
    with requests.get(url, headers=headers, stream=True, timeout=60) as response:
        response.raise_for_status()
        yield from response.iter_content(CHUNK_BYTES)


def _upload(bucket: object, chunks: Iterable[bytes]) -> None:
    """A multipart upload as the SDK's manual shows it: part after part, while nothing is read."""
    from oss2.models import PartInfo  # noqa: PLC0415 - the same

    key = "copies/copy"
    upload_id = bucket.init_multipart_upload(key).upload_id  # type: ignore[attr-defined]  # oss2 has no types
    parts: list[object] = []

    def send(part: bytearray) -> None:
        number = len(parts) + 1
        result = bucket.upload_part(key, upload_id, number, bytes(part))  # type: ignore[attr-defined]  # the same
        parts.append(PartInfo(number, result.etag))

    part = bytearray()
    for chunk in chunks:
        part += chunk
        if len(part) >= PLAIN_PART_BYTES:
            send(part)
            part = bytearray()
    send(part)
    bucket.complete_multipart_upload(key, upload_id, parts)  # type: ignore[attr-defined]  # the same


def _copy_object(key: str) -> Work:
    bucket = _bucket()
    return lambda: _upload(bucket, _object_chunks(bucket, key))


def _copy_results(file_id: str) -> Work:
    bucket = _bucket()
    return lambda: _upload(bucket, _provider_chunks(file_id))


def _rows(chunks: Iterable[bytes]) -> int:
    from shared.formats.lines import byte_lines  # noqa: PLC0415 - the same
    from shared.results.replies.result_lines import parse_result_line  # noqa: PLC0415 - the same

    return sum(parse_result_line(line) is not None for line in byte_lines(chunks))


def _rows_over_http(key: str) -> Work:
    from shared.stores.oss.store import open_oss_store  # noqa: PLC0415 - the same

    store = open_oss_store(
        os.environ["OSS_ENDPOINT"],
        os.environ["OSS_REGION"],
        os.environ["BUCKET_NAME"],
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        security_token=None,
    )
    return lambda: _rows(store.read(key))


def _rows_with_defaults(key: str) -> Work:
    """The same rows through oss2 as it comes, whose CRC64 is crcmod's."""
    bucket = _bucket()
    bucket.enable_crc = True  # type: ignore[attr-defined]  # oss2 has no types
    return lambda: _rows(_object_chunks(bucket, key))


def _rows_from_file(path: str) -> Work:
    from scripts.operate.recipes.local_folder import LocalFolder  # noqa: PLC0415 - the same

    store = LocalFolder(Path(path), Path(path).parent)
    return lambda: _rows(store.read(store.key))


_WORK: dict[str, Callable[[str], Work]] = {
    "copy-object": _copy_object,
    "copy-results": _copy_results,
    "rows-http": _rows_over_http,
    "rows-http-oss2": _rows_with_defaults,
    "rows-file": _rows_from_file,
    "page": _page,
    "list": _list,
}


def peak_bytes(pid: int | str = "self") -> int:
    """A process's peak memory, 0 if it is gone; unlike ``ru_maxrss`` without its parent's."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.split("\n"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def main(what: str, subject: str) -> None:
    prepare = _WORK.get(what)
    work = prepare(subject) if prepare else _function(what, subject)
    started, before = time.perf_counter(), os.times()
    said = work()
    wall_s, after = time.perf_counter() - started, os.times()
    cpu_s = after.user + after.system - before.user - before.system
    measured = {"wall_s": wall_s, "cpu_s": cpu_s, "peak_bytes": peak_bytes(), "said": said}
    print(json.dumps(measured))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
