"""What policies allow, and above all what they do not."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.localcloud.access.ram import PolicyError, is_allowed, parse_statement

READ = {
    "Effect": "Allow",
    "Action": ["oss:GetObject"],
    "Resource": ["acs:oss:*:*:drop/jobs/*", "acs:oss:*:*:drop/ready/*"],
}
LIST = {
    "Effect": "Allow",
    "Action": "oss:ListObjects",
    "Resource": "acs:oss:*:*:drop",
    "Condition": {"StringLike": {"oss:Prefix": ["jobs/*"]}},
}


def decide(
    *documents: dict[str, Any], action: str = "oss:GetObject", target: str = "drop/jobs/1", **context: str
) -> bool:
    named = {f"oss:{key}": value for key, value in context.items()}
    return is_allowed(map(parse_statement, documents), action, f"acs:oss:cn-beijing:1:{target}", named)


@pytest.mark.parametrize("target", ["drop/jobs/1", "drop/ready/a/b", "drop/jobs/", "drop/jobs/a:b\nc"])
def test_what_a_statement_names_is_allowed(target: str) -> None:
    assert decide(READ, target=target)


@pytest.mark.parametrize(
    ("action", "target"),
    [
        ("oss:PutObject", "drop/jobs/1"),
        ("oss:GetObjectAcl", "drop/jobs/1"),
        ("oss:getobject", "drop/jobs/1"),
        ("oss:GetObject", "drop/results/1"),
        ("oss:GetObject", "drop/jobs"),
        ("oss:GetObject", "drop"),
        ("oss:GetObject", "dropped/jobs/1"),
        ("oss:GetObject", "other/drop/jobs/1"),
        ("oss:GetObject", "other/x:drop/jobs/1"),
    ],
)
def test_what_no_statement_names_is_refused(action: str, target: str) -> None:
    assert not decide(READ, action=action, target=target)


def test_nothing_at_all_allows_nothing() -> None:
    assert not decide()


@pytest.mark.parametrize("action", ["*", "oss:*", "oss:Get*", "oss:GetObjec?", "oss:GetObject*"])
def test_actions_have_wildcards(action: str) -> None:
    assert decide({**READ, "Action": [action]})


@pytest.mark.parametrize(
    "action", ["oss:GetObject?", "oss:Put*", "log:*", "oss.GetObject", "oss:[G]etObject", ""]
)
def test_a_wildcard_matches_no_more_than_it_says(action: str) -> None:
    assert not decide({**READ, "Action": [action]})


@pytest.mark.parametrize(
    "resource", ["*", "acs:oss:*:*:*", "acs:oss:cn-beijing:1:drop/*", "acs:oss:*:*:dro?/jobs/1"]
)
def test_resources_have_wildcards(resource: str) -> None:
    assert decide({**READ, "Resource": [resource]})


@pytest.mark.parametrize(
    "resource",
    ["acs:log:*:*:drop/*", "acs:oss:cn-shanghai:*:drop/*", "acs:oss:*:2:drop/*", "acs:oss:*", "drop/*"],
)
def test_a_resource_matches_field_by_field(resource: str) -> None:
    assert not decide({**READ, "Resource": [resource]})


def test_a_deny_beats_every_allow() -> None:
    deny = {**READ, "Effect": "Deny", "Resource": ["acs:oss:*:*:drop/jobs/secret/*"]}

    assert not decide(READ, deny, target="drop/jobs/secret/1")
    assert not decide(deny, READ, target="drop/jobs/secret/1")
    assert decide(READ, deny, target="drop/jobs/1")


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("jobs/", True), ("jobs/7/", True), ("jobs", False), ("", False), ("results/", False)],
)
def test_a_listing_is_allowed_below_its_prefix(prefix: str, expected: bool) -> None:
    assert decide(LIST, action="oss:ListObjects", target="drop", Prefix=prefix) is expected


def test_string_equals_knows_no_wildcards() -> None:
    exact = {**LIST, "Condition": {"StringEquals": {"oss:Prefix": ["jobs/", "x*"]}}}

    assert decide(exact, action="oss:ListObjects", target="drop", Prefix="jobs/")
    assert not decide(exact, action="oss:ListObjects", target="drop", Prefix="jobs/7")
    assert not decide(exact, action="oss:ListObjects", target="drop", Prefix="xy")


@pytest.mark.parametrize(
    ("prefix", "delimiter", "expected"),
    [("", "/", True), ("", "", False), ("jobs/", "/", False), ("", "//", False)],
)
def test_the_top_of_a_bucket_is_listed_without_what_lies_below(
    prefix: str, delimiter: str, expected: bool
) -> None:
    top = {**LIST, "Condition": {"StringEquals": {"oss:Prefix": [""], "oss:Delimiter": ["/"]}}}

    is_allowed = decide(top, action="oss:ListObjects", target="drop", Prefix=prefix, Delimiter=delimiter)

    assert is_allowed is expected


def test_all_conditions_must_hold() -> None:
    both = {
        **LIST,
        "Condition": {"StringLike": {"oss:Prefix": "jobs/*"}, "StringEquals": {"oss:Prefix": "jobs/7/"}},
    }

    assert decide(both, action="oss:ListObjects", target="drop", Prefix="jobs/7/")
    assert not decide(both, action="oss:ListObjects", target="drop", Prefix="jobs/8/")


def test_a_request_that_lacks_the_conditions_key_does_not_meet_it() -> None:
    assert not decide(LIST, action="oss:ListObjects", target="drop")


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotLike": {"oss:Prefix": ["results/*"]}},
        {"IpAddress": {"acs:SourceIp": ["0.0.0.0/0"]}},
        {"StringLike": {"oss:MaxKeys": ["*"]}},
    ],
)
def test_a_condition_that_is_not_understood_refuses(condition: dict[str, Any]) -> None:
    allow = {**LIST, "Condition": condition}
    plain = {**LIST, "Condition": {}}

    assert decide(plain, action="oss:ListObjects", target="drop", Prefix="jobs/")
    assert not decide(allow, action="oss:ListObjects", target="drop", Prefix="jobs/")
    assert not decide(
        plain, {**allow, "Effect": "Deny"}, action="oss:ListObjects", target="drop", Prefix="jobs/"
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Action": "oss:*", "Resource": "*"}, "needs Effect, Action and Resource"),
        ("Allow", "needs Effect, Action and Resource"),
        ({**READ, "Effect": "allow"}, "Effect is 'allow'"),
        ({**READ, "NotAction": ["oss:PutObject"]}, "NotAction is not supported"),
        ({**READ, "Principal": ["*"]}, "Principal is not supported"),
        ({**READ, "Action": [1]}, "expected text"),
        ({**READ, "Resource": None}, "expected text"),
    ],
)
def test_a_statement_that_would_be_misread_is_no_statement(document: object, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        parse_statement(document)
