"""The service's check of an input file: one finding refuses the whole batch.

Codes marked "recorded" were seen on the wire or stand in the official error list. The others are
OpenAI's words for the same, because nobody has published Bailian's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.localcloud.answers.input_lines import Line, read_lines
from scripts.localcloud.bailian.files_and_batches import BatchFinding
from scripts.localcloud.servers.json_bodies import MAX_DEPTH, quick_json
from shared.ports.profile import ShardLimits
from shared.providers.bailian.profile import BAILIAN, TEST_ENDPOINT, TEST_MODEL

MAX_FINDINGS = 100
Check = Callable[["_Request"], "BatchFinding | None"]


@dataclass(frozen=True)
class Validated:
    """How many requests the file holds, and what is wrong with them."""

    total: int
    findings: tuple[BatchFinding, ...]


def validate_input(path: Path, endpoint: str) -> Validated:
    limits = BAILIAN.limits_for(TEST_MODEL if endpoint == TEST_ENDPOINT else "")
    if path.stat().st_size > limits.max_bytes:
        message = f"The file is larger than {limits.max_bytes} bytes."
        return Validated(0, (BatchFinding(code="file_too_large", message=message),))
    scan = _Scan(endpoint, limits)
    findings: list[BatchFinding] = []
    for finding in scan.findings(path):
        findings.append(finding)
        if len(findings) == MAX_FINDINGS:
            break
    return Validated(scan.total, tuple(findings))


@dataclass(frozen=True)
class _Request:
    line: int
    fields: dict[str, Any]

    def finding(self, code: str, message: str, param: str) -> BatchFinding:
        return BatchFinding(code=code, message=message, param=param, line=self.line)


@dataclass
class _Scan:
    endpoint: str
    limits: ShardLimits
    total: int = 0
    model: str = ""
    thinks: object = None
    ids: set[str] = field(default_factory=set)

    def findings(self, path: Path) -> Iterator[BatchFinding]:
        max_requests = self.limits.max_requests
        for line in read_lines(path, self.limits.max_line_bytes):
            self.total += 1
            if self.total > max_requests:
                message = f"The file holds more than {max_requests} requests."
                yield BatchFinding(code="too_many_requests", message=message, line=line.number)
                return
            finding = self._finding_in(line)
            if finding:
                yield finding
        if not self.total:
            yield BatchFinding(code="empty_file", message="The input file holds no request.")

    def _finding_in(self, line: Line) -> BatchFinding | None:
        if len(line.content) > self.limits.max_line_bytes:
            message = f"The line is longer than {self.limits.max_line_bytes} bytes."
            return BatchFinding(code="line_too_large", message=message, line=line.number)
        try:
            fields = quick_json(line.content)
        except RecursionError:
            message = f"This line is nested more than {MAX_DEPTH} levels deep."
            return BatchFinding(code="invalid_json_line", message=message, line=line.number)
        except ValueError:
            fields = None
        if isinstance(fields, dict) and self._is_as_the_last(fields):
            return None
        if not isinstance(fields, dict):
            message = "This line is not parseable as valid JSON."
            return BatchFinding(code="invalid_json_line", message=message, line=line.number)
        checks: tuple[Check, ...] = (
            self._id,
            self._method,
            self._url,
            self._body,
            self._model,
            self._thinking,
        )
        findings = (check(_Request(line.number, fields)) for check in checks)
        return next((finding for finding in findings if finding), None)

    def _is_as_the_last(self, fields: dict[str, Any]) -> bool:
        """Whether it differs from a line without a finding in its id and in what nobody checks."""
        model, custom_id, body = self.model, fields.get("custom_id"), fields.get("body")
        is_alike = (
            isinstance(custom_id, str)
            and 0 < len(custom_id) <= self.limits.max_custom_id_chars
            and custom_id not in self.ids
            and fields.get("method") == "POST"
            and fields.get("url") == self.endpoint
            and isinstance(body, dict)
            and model != ""
            and body.get("model") == model
            and body.get("enable_thinking") is self.thinks
        )
        if is_alike:
            self.ids.add(str(custom_id))
        return is_alike

    def _id(self, request: _Request) -> BatchFinding | None:
        custom_id = request.fields.get("custom_id")
        if not isinstance(custom_id, str) or not custom_id:
            message = "Missing required parameter: 'custom_id'."
            return request.finding("missing_required_parameter", message, "custom_id")
        if len(custom_id) > self.limits.max_custom_id_chars:
            message = f"The custom_id is longer than {self.limits.max_custom_id_chars} characters."
            return request.finding("invalid_custom_id", message, "custom_id")
        if custom_id in self.ids:
            # Recorded.
            message = (
                f"The custom_id '{custom_id}' for this request is a duplicate of another request. "
                "The custom_id parameter must be unique for each request in a batch."
            )
            return request.finding("duplicate_custom_id", message, "custom_id")
        self.ids.add(custom_id)
        return None

    def _method(self, request: _Request) -> BatchFinding | None:
        if request.fields.get("method") != "POST":
            return request.finding("invalid_method", "The method must be 'POST'.", "method")
        return None

    def _url(self, request: _Request) -> BatchFinding | None:
        url = request.fields.get("url")
        if url not in BAILIAN.rules.urls:
            # Recorded.
            message = f"The provided url '{url}' is not supported by the Batch API."
            return request.finding("url_not_found", message, "url")
        if url != self.endpoint:
            # Recorded for the test endpoint only.
            code = "mismatched_test_url" if TEST_ENDPOINT in (url, self.endpoint) else "mismatched_url"
            message = f"The provided url '{url}' does not match the batch endpoint '{self.endpoint}'."
            return request.finding(code, message, "url")
        return None

    def _body(self, request: _Request) -> BatchFinding | None:
        body = request.fields.get("body")
        if not isinstance(body, dict):
            return request.finding(
                "missing_required_parameter", "Missing required parameter: 'body'.", "body"
            )
        if not isinstance(body.get("model"), str) or not body["model"]:
            message = "Missing required parameter: 'body.model'."
            return request.finding("missing_required_parameter", message, "body.model")
        return None

    def _model(self, request: _Request) -> BatchFinding | None:
        model = str(request.fields["body"]["model"])
        if model == TEST_MODEL and self.endpoint != TEST_ENDPOINT:
            # Recorded.
            message = f"The provided URL '{self.endpoint}' does not match the test model '{model}'."
            return request.finding("mismatched_test_url", message, "url")
        is_unknown = model.startswith("no-such-")  # every other model is served
        if is_unknown or (self.endpoint == TEST_ENDPOINT and model != TEST_MODEL):
            message = f"The provided model '{model}' is not supported by the Batch API."
            return request.finding("model_not_found", message, "body.model")
        if model != (self.model or model):
            # Recorded.
            message = (
                f"The model '{model}' for this request does not match the rest of the batch. "
                "Each batch must contain requests for a single model."
            )
            return request.finding("mismatched_model", message, "body.model")
        return None

    def _thinking(self, request: _Request) -> BatchFinding | None:
        body = request.fields["body"]
        thinks = body.get("enable_thinking")
        if thinks is not None and not isinstance(thinks, bool):
            message = "'enable_thinking' must be true or false."
            return request.finding("invalid_value", message, "body.enable_thinking")
        if not self.model:
            self.model, self.thinks = body["model"], thinks
        if thinks != self.thinks:
            # That the mode must be one is documented, the words are not. Who leaves it to the
            # model cannot know that it is the same.
            message = (
                "The value of 'enable_thinking' for this request does not match the rest of the batch. "
                "Each batch must contain requests for a single thinking mode."
            )
            return request.finding("mismatched_thinking_mode", message, "body.enable_thinking")
        return None
