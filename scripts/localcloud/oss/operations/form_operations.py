"""PostObject: an upload by a form, whose fields stand for headers.

Source: https://help.aliyun.com/en/oss/developer-reference/postobject
"""

from __future__ import annotations

import dataclasses
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from scripts.localcloud.oss import form_refusals
from scripts.localcloud.oss.auth.permissions import Caller
from scripts.localcloud.oss.auth.signed_forms import V4_FIELDS, check_form, is_v4
from scripts.localcloud.oss.auth.signed_requests import Signatures
from scripts.localcloud.oss.operations.routing import check_allowed, check_headers
from scripts.localcloud.oss.web.form import PostedForm, open_form
from scripts.localcloud.oss.web.policy import Policy, parse_policy
from scripts.localcloud.oss.wire.answer import Call, written
from scripts.localcloud.oss.wire.object_headers import HTTP_HEADERS
from scripts.localcloud.oss.wire.oss_request import OssRequest, check_key
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.incoming.xml_bodies import xml_answer
from scripts.localcloud.storage_http.permissions import Authorize

_STATUSES = {"200": 200, "201": 201}


def is_form(request: OssRequest) -> bool:
    is_multipart = request.header("content-type").startswith("multipart/form-data")
    return request.method == "POST" and not request.key and is_multipart


def post_object(call: Call, signatures: Signatures, authorize: Authorize) -> Answer:
    """Store the form's file, if its policy is signed by one who may, and allows it.

    Args:
        call: The request, whose own headers and URL are not signed.
        signatures: Knows the keys.
        authorize: What their owners may do.
    """
    form = open_form(call.request.header("content-type"), call.body.pieces())
    caller = Caller(check_form(signatures, form.fields), authorize)
    if "callback" in form.fields:
        raise refusals.not_implemented("callbacks of forms")
    policy = _checked_policy(form, call.request.bucket, signatures)
    if not form.key:
        raise form_refusals.lacks_field("key")
    check_key(form.key)
    call = dataclasses.replace(call, request=_as_put(call.request, form), caller=caller)
    check_headers(call.request)
    check_allowed(call, "oss:PutObject")
    write = call.write("ObjectCreated:PostObject")
    call.storage.check_overwrite(write)
    with call.storage.new_content() as content:
        content.fill(policy.bounded(form.pieces))
        return _answer(call, form, call.storage.publish(content, write))


def _checked_policy(form: PostedForm, bucket: str, signatures: Signatures) -> Policy:
    policy = parse_policy(form.fields["policy"])
    policy.check({**form.fields, "bucket": bucket}, signatures.now())
    if is_v4(form.fields) and not policy.names(V4_FIELDS):
        wanted = ", ".join(sorted(V4_FIELDS))
        raise form_refusals.invalid_policy(f"conditions of V4 are missing, of {wanted}", "")
    return policy


def _as_put(request: OssRequest, form: PostedForm) -> OssRequest:
    """The request that would put the same object."""
    fields = form.fields.items()
    headers = {
        name: value.encode().decode("latin-1")
        for name, value in fields
        if name in HTTP_HEADERS or name.startswith("x-oss-")
    }
    return dataclasses.replace(request, key=form.key, headers={**headers, "content-type": form.content_type})


def _answer(call: Call, form: PostedForm, row: StoredObject) -> Answer:
    headers = written(row)
    if url := form.fields.get("success_action_redirect"):
        return Answer(303, {**headers, "Location": _redirected(url, row)})
    status = _STATUSES.get(form.fields.get("success_action_status", ""), 204)
    location = f"http://{call.request.endpoint}/{row.bucket}/{quote(row.key)}"
    if status != 201:
        return Answer(status, {**headers, "Location": location})
    told = [("Bucket", row.bucket), ("Location", location), ("Key", row.key), ("ETag", f'"{row.etag}"')]
    document = xml_answer("PostResponse", list(told), {**headers, "Location": location})
    return dataclasses.replace(document, status=201)


def _redirected(url: str, row: StoredObject) -> str:
    parts = urlsplit(url)
    told = urlencode({"bucket": row.bucket, "key": row.key, "etag": f'"{row.etag}"'}, quote_via=quote)
    return urlunsplit(parts._replace(query=f"{parts.query}&{told}" if parts.query else told))
