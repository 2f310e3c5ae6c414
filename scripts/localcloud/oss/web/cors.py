"""A bucket's CORS rules, and what they tell a web page; pure.

Source: https://help.aliyun.com/en/oss/developer-reference/putbucketcors
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage_http.incoming.xml_bodies import Element, parse_document, render

MAX_RULES = 20
_METHODS = frozenset({"GET", "PUT", "DELETE", "POST", "HEAD"})
_ROOT = "CORSConfiguration"


@dataclass(frozen=True)
class CorsRule:
    """What pages of some origins may do. An origin and a header may hold one ``*``."""

    origins: Sequence[str]
    methods: Sequence[str]
    headers: Sequence[str] = ()
    exposed: Sequence[str] = ()
    max_age_s: int | None = None

    def allows(self, origin: str, method: str, headers: Iterable[str]) -> bool:
        return (
            any(_is_like(each, origin) for each in self.origins)
            and method in self.methods
            and all(any(_is_like(each.lower(), name) for each in self.headers) for name in headers)
        )


@dataclass(frozen=True)
class PageRequest:
    """What a browser asks on behalf of a page.

    Attributes:
        headers: In lower case, those that it wants to send.
        is_preflight: It only asks whether it may.
    """

    origin: str
    method: str
    headers: Sequence[str] = ()
    is_preflight: bool = False


def headers_for(rules: Iterable[CorsRule], asked: PageRequest) -> dict[str, str]:
    """What the first rule that allows it makes of the answer; nothing if none does."""
    rule = next((each for each in rules if each.allows(asked.origin, asked.method, asked.headers)), None)
    if rule is None:
        return {}
    told = {
        "Access-Control-Allow-Origin": "*" if "*" in rule.origins else asked.origin,
        "Access-Control-Allow-Methods": ", ".join(rule.methods),
        "Access-Control-Allow-Headers": ", ".join(asked.headers) if asked.is_preflight else "",
        "Access-Control-Expose-Headers": ", ".join(rule.exposed),
        "Access-Control-Max-Age": "" if rule.max_age_s is None else str(rule.max_age_s),
    }
    return {name: value for name, value in told.items() if value}


def parse_cors(document: bytes) -> list[CorsRule]:
    """The rules of a CORSConfiguration document.

    Raises:
        Refusal: 400 for what is malformed, 501 for ``ResponseVary``.
    """
    root = parse_document(document, _ROOT)
    if root.findtext("{*}ResponseVary", "").lower() == "true":
        raise refusals.not_implemented("ResponseVary")
    rules = [_rule(element) for element in root.iterfind("{*}CORSRule")]
    if not 1 <= len(rules) <= MAX_RULES:
        raise refusals.malformed_document()
    return rules


def render_cors(rules: Iterable[CorsRule]) -> bytes:
    return render(_ROOT, [("CORSRule", _elements(rule)) for rule in rules])


def _rule(element: ET.Element) -> CorsRule:
    def texts(name: str) -> tuple[str, ...]:
        return tuple((each.text or "").strip() for each in element.iterfind(f"{{*}}{name}"))

    age = element.findtext("{*}MaxAgeSeconds", "").strip()
    rule = CorsRule(
        origins=texts("AllowedOrigin"),
        methods=texts("AllowedMethod"),
        headers=texts("AllowedHeader"),
        exposed=texts("ExposeHeader"),
        max_age_s=int(age) if re.fullmatch("[0-9]{1,9}", age) else None,
    )
    wild = [*rule.origins, *rule.headers]
    is_sound = rule.origins and rule.methods and all(each and each.count("*") <= 1 for each in wild)
    if not is_sound or not _METHODS.issuperset(rule.methods) or "*" in "".join(rule.exposed):
        raise refusals.malformed_document()
    return rule


def _elements(rule: CorsRule) -> list[Element]:
    lists = {
        "AllowedOrigin": rule.origins,
        "AllowedMethod": rule.methods,
        "AllowedHeader": rule.headers,
        "ExposeHeader": rule.exposed,
        "MaxAgeSeconds": [] if rule.max_age_s is None else [rule.max_age_s],
    }
    return [(name, value) for name, values in lists.items() for value in values]


def _is_like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None
