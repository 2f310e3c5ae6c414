"""The deployed template: valid for ROS, without loops, with exactly each step's permissions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from scripts.localcloud.events.patterns import matches
from scripts.localcloud.options import CloudOptions
from scripts.template.check import ROOT, SCHEMA, check
from scripts.template.parameters import PSEUDO_PARAMETERS, TemplateError
from scripts.template.read import load_stack
from scripts.template.ros import Template, intrinsic, read_template
from scripts.template.stack import (
    EventBridgeTrigger,
    HttpTrigger,
    OssTrigger,
    RocketMqTrigger,
    Stack,
    TimerTrigger,
)
from shared.board.write import HELD_UP
from shared.pipeline.deadlines import WORK_KEPT
from shared.problems.exceptions import ConfigurationError
from shared.providers.bailian.profile import BUCKET_TAG
from shared.recipes.recipe import LONGEST_REUSE
from shared.runtime.settings import Settings
from shared.runtime.wiring.callback import event_check
from shared.runtime.wiring.providers.open_providers import open_providers
from shared.runtime.wiring.providers.profiles import provider_choice
from tests.support.roles import ABORTS, DELETES, LISTS, LOOKS, READS, WRITES
from tests.support.template import ATTRIBUTES, PARAMETERS

PATH = ROOT / "template.yaml"
FUNCTIONS = ("validate", "submit", "callback", "message", "collect", "reconcile", "notify", "page")
# https://help.aliyun.com/zh/functioncompute/fc/product-overview/limits-1
NEW_ACCOUNT_INSTANCES = 100
STORE = {"BUCKET_NAME", "OSS_ENDPOINT", "OSS_REGION", "LOG_LEVEL"}
REAL_TIME = {"DASHSCOPE_API_KEY", "DASHSCOPE_BASE_URL", "ARK_API_KEY", "ARK_BASE_URL"}
PROVIDER = {
    *("DASHSCOPE_API_KEY", "DASHSCOPE_BASE_URL"),
    *("ARK_ACCESS_KEY_ID", "ARK_SECRET_ACCESS_KEY", "ARK_HOST", "ARK_REGION", "ARK_PROJECT"),
    *("ARK_RUNNING_JOBS", "ARK_WEEKLY_JOBS", "TOS_BUCKET", "TOS_PREFIX", "TOS_ENDPOINT", "TOS_PROXY"),
    *("TENCENT_SECRET_ID", "TENCENT_SECRET_KEY", "TIONE_REGION", "TIONE_HOST", "TIONE_API"),
    *("TIONE_IMAGE", "TIONE_RESOURCE", "TIONE_SERVER_COMMAND", "TIONE_SERVER_URL"),
    *("TIONE_CONCURRENCY", "TIONE_RUNNING_TASKS"),
    *("COS_BUCKET", "COS_REGION", "COS_PREFIX", "COS_ADDRESS"),
}
ARK = {"ArkAccessKeyId": "ak", "ArkSecretAccessKey": "sk-of-ark", "TosBucket": "acme-batch"}
TIONE = {
    "TencentSecretId": "AKID",
    "TencentSecretKey": "key-of-tencent",
    "TioneRegion": "ap-shanghai",
    "TioneImage": "ccr.ccs.tencentyun.com/acme/vllm:1",
    "TioneResource": '{"InstanceType": "TI.GN10.2XLARGE40.POST"}',
    "CosBucket": "acme-1250000000",
}
ALL = ARK | TIONE
ENVIRONMENT = {
    "validate": STORE | REAL_TIME | {"DEFAULT_MODEL", "DEFAULT_PROVIDER", "PROVIDERS", "MONTH_BUDGET"},
    "submit": STORE
    | PROVIDER
    | {"INPUT_FROM", "CALLBACK_SECRET", "CALLBACK_BASE_URL", "CLAIM_LEASE_S", "MONTH_BUDGET"},
    "callback": STORE | {"CALLBACK_SECRET", "EVENTBRIDGE_TOKEN", "EVENTBRIDGE_REGION"},
    "message": STORE,
    "collect": STORE | PROVIDER | {"RESULTS_LATE_S", "MONTH_BUDGET"},
    "reconcile": STORE
    | PROVIDER
    | {
        "READY_OVERDUE_S",
        "POLL_AFTER_S",
        "FINISHED_OVERDUE_S",
        "INBOX_SWEEP_AFTER_S",
        "FILES_SWEEP_S",
        "MONTH_BUDGET",
    },
    "notify": STORE | {"NOTIFY_CHANNELS", "PAGE_URL", "PAGE_SECRET"},
    "page": STORE
    | REAL_TIME
    | {
        "OSS_PUBLIC_ENDPOINT",
        "PAGE_SECRET",
        "PAGE_OPEN",
        "ANSWERED_BY",
        "DEAD_LETTER_QUEUE",
    }
    | {"DEFAULT_MODEL", "DEFAULT_PROVIDER", "PROVIDERS"},
}

# The shape of https://www.alibabacloud.com/help/en/model-studio/async-task-api with the names of
# BatchTaskFinish, whose data is documented nowhere.
BATCH_TASK_FINISH: dict[str, Any] = {
    "specversion": "1.0",
    "id": "81765e5b-0000-4000-8000-a1a74e6e1a2d",
    "source": "acs.dashscope",
    "type": "dashscope:System:BatchTaskFinish",
    "aliyuneventbusname": "default",
    "data": {"task_id": "batch_5b57e198-203e-49c8-bcc3-65e997d51754", "task_status": "SUCCEEDED"},
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read_template(PATH)


@pytest.fixture(scope="module")
def stack() -> Stack:
    return load_stack(PATH, PARAMETERS, ATTRIBUTES)


def test_the_template_is_valid(template: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))

    assert check(template, schema) == []


def test_every_property_resolves_with_and_without_rocketmq(template: dict[str, Any]) -> None:
    arns = {(key, "Arn"): f"acs:ram::1:role/{key}" for key in template["Resources"]}
    for choice in ("true", "false"):
        resolver = Template(template, {**PARAMETERS, "UseRocketMQ": choice}, {**ATTRIBUTES, **arns})
        for key in template["Resources"]:
            if resolver.exists(key):
                assert "${" not in str(resolver.properties(key))


def test_seven_functions_each_from_its_own_zip(stack: Stack) -> None:
    assert tuple(spec.folder for spec in stack.functions) == FUNCTIONS
    assert {spec.handler for spec in stack.functions} == {"index.handler"}
    assert {spec.runtime for spec in stack.functions} == {"python3.10"}
    assert {spec.name for spec in stack.functions} == {f"batchdrop-{name}" for name in FUNCTIONS}


def test_each_function_gets_exactly_the_settings_it_needs(stack: Stack) -> None:
    assert {spec.folder: set(spec.environment) for spec in stack.functions} == ENVIRONMENT
    assert stack.function("Submit").environment["CALLBACK_BASE_URL"] == "https://callback.example"


@pytest.mark.parametrize(
    ("given", "set_up"),
    [
        ({}, "bailian"),
        (ARK, "bailian,ark"),
        (TIONE, "bailian,tione"),
        (ALL, "bailian,ark,tione"),
        (ALL | {"DashScopeApiKey": ""}, ",ark,tione"),
        *((ALL | {name: ""}, "bailian,tione") for name in ARK),
        *((ALL | {name: ""}, "bailian,ark") for name in TIONE),
    ],
)
def test_what_validates_is_told_without_keys_which_providers_are_set_up(
    given: dict[str, str], set_up: str
) -> None:
    environment = load_stack(PATH, {**PARAMETERS, **given}, ATTRIBUTES).function("Validate").environment

    assert environment["PROVIDERS"] == set_up
    assert not {*ALL.values()} & {*environment.values()}
    assert provider_choice(Settings.from_env(environment)).set_up == set_up.strip(",").split(",")


def test_only_what_calls_a_provider_has_its_keys() -> None:
    functions = load_stack(PATH, {**PARAMETERS, **ALL}, ATTRIBUTES).functions
    secrets = {ARK["ArkSecretAccessKey"], TIONE["TencentSecretKey"]}

    holders = {spec.folder for spec in functions if secrets & {*spec.environment.values()}}

    assert holders == {"submit", "collect", "reconcile"}


def test_only_what_asks_single_requests_has_the_key_to_them() -> None:
    functions = load_stack(PATH, {**PARAMETERS, **ALL, "ArkApiKey": "key-of-ark"}, ATTRIBUTES).functions

    assert {spec.folder for spec in functions if "key-of-ark" in spec.environment.values()} == {
        "validate",
        "page",
    }


def test_only_notify_has_the_secrets_of_the_channels() -> None:
    given = load_stack(PATH, {**PARAMETERS, "NotifyChannels": '{"slack": {}}'}, ATTRIBUTES)

    holders = {spec.folder for spec in given.functions if '{"slack": {}}' in spec.environment.values()}

    assert holders == {"notify"}


@pytest.mark.parametrize("function", ["Submit", "Collect", "Reconcile"])
def test_a_stack_has_the_providers_whose_keys_it_was_given(function: str) -> None:
    def opened(given: dict[str, str]) -> list[str]:
        stack = load_stack(PATH, {**PARAMETERS, **given}, ATTRIBUTES)
        settings = Settings.from_env(stack.function(function).environment)
        return [provider.profile.name for provider in open_providers(settings)]

    assert opened({}) == ["bailian"]
    assert opened(ARK) == ["bailian", "ark"]
    assert opened(ALL | {"DashScopeApiKey": ""}) == ["ark", "tione"]
    with pytest.raises(ConfigurationError, match="TOS_BUCKET must be set"):
        opened(ARK | {"TosBucket": ""})


def test_the_endpoint_is_the_regions_internal_one_unless_given() -> None:
    default = load_stack(PATH, {**PARAMETERS, "ALIYUN::Region": "cn-hangzhou"}, ATTRIBUTES)
    given = load_stack(PATH, {**PARAMETERS, "OssEndpoint": "http://127.0.0.1:9"}, ATTRIBUTES)

    endpoints = {spec.environment["OSS_ENDPOINT"] for spec in default.functions}
    assert endpoints == {"https://oss-cn-hangzhou-internal.aliyuncs.com"}
    assert {spec.environment["OSS_ENDPOINT"] for spec in given.functions} == {"http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("real", "function", "started_again_after"),
    [
        (None, "Collect", "FINISHED_OVERDUE_S"),
        ("bailian", "Collect", "FINISHED_OVERDUE_S"),
        ("bailian", "Submit", "CLAIM_LEASE_S"),
    ],
)
def test_the_local_cloud_starts_nothing_again_that_may_still_run(
    real: Literal["bailian"] | None, function: str, started_again_after: str
) -> None:
    local = CloudOptions(PATH.parent, real=real).template_parameters()
    stack = load_stack(PATH, {**PARAMETERS, **local}, ATTRIBUTES)

    (after_s,) = {
        int(spec.environment[started_again_after])
        for spec in stack.functions
        if started_again_after in spec.environment
    }

    assert after_s > stack.function(function).timeout_s


@pytest.mark.parametrize("providers", [("bailian",), ("ark",), ("bailian", "ark"), ("ark", "bailian")])
def test_the_local_cloud_has_a_default_model_of_its_first_provider(providers: tuple[str, ...]) -> None:
    local = CloudOptions(PATH.parent, providers=providers).template_parameters()
    environment = (
        load_stack(PATH, {**PARAMETERS, **ARK, **local}, ATTRIBUTES).function("Validate").environment
    )

    assert Settings.from_env(environment).default_provider == providers[0]


@pytest.mark.parametrize("provider", ["ark", "tione"])
@pytest.mark.parametrize("model", [None, "qwen-flash"])
def test_a_deployment_whose_default_model_is_not_of_its_provider_is_refused(
    provider: str, model: str | None
) -> None:
    given = {"DefaultProvider": provider, **({"DefaultModel": model} if model else {})}

    with pytest.raises(TemplateError, match="Set DefaultModel to a model of DefaultProvider"):
        load_stack(PATH, {**PARAMETERS, **given}, ATTRIBUTES)


@pytest.mark.parametrize(("provider", "model"), [("ark", "doubao-seed-2-1-pro"), ("bailian", "qwen-flash")])
def test_one_with_a_model_of_its_provider_is_not(provider: str, model: str) -> None:
    given = {"DefaultProvider": provider, "DefaultModel": model}

    environment = load_stack(PATH, {**PARAMETERS, **given}, ATTRIBUTES).function("Validate").environment

    assert (environment["DEFAULT_PROVIDER"], environment["DEFAULT_MODEL"]) == (provider, model)


def test_each_function_has_its_trigger(stack: Stack) -> None:
    triggers = {trigger.function: type(trigger) for trigger in stack.triggers}

    assert triggers == {
        "Validate": OssTrigger,
        "Submit": OssTrigger,
        "Collect": OssTrigger,
        "Callback": HttpTrigger,
        "Page": HttpTrigger,
        "Reconcile": TimerTrigger,
        "Notify": OssTrigger,
        "Message": EventBridgeTrigger,
    }


def test_oss_triggers_hear_whole_objects_only(stack: Stack) -> None:
    triggers = [trigger for trigger in stack.triggers if isinstance(trigger, OssTrigger)]

    assert {trigger.prefix for trigger in triggers} == {"inbox/", "again/", "ready/", "finished/", "outbox/"}
    for trigger in triggers:
        kinds = {event.removeprefix("oss:ObjectCreated:") for event in trigger.events}
        assert kinds == {"PutObject", "PostObject", "CopyObject", "CompleteMultipartUpload"}


def test_oss_triggers_do_not_overlap(stack: Stack) -> None:
    prefixes = [trigger.prefix for trigger in stack.triggers if isinstance(trigger, OssTrigger)]

    for prefix in prefixes:
        assert [other for other in prefixes if other.startswith(prefix)] == [prefix]


def test_the_callback_takes_posts_from_anybody(stack: Stack) -> None:
    (trigger,) = stack.triggers_of("Callback")

    assert isinstance(trigger, HttpTrigger)
    assert (trigger.methods, trigger.auth) == (("POST",), "anonymous")


def test_the_page_is_asked_by_anybody_and_shown_at_a_domain_with_a_certificate(
    template: dict[str, Any], stack: Stack
) -> None:
    (trigger,) = stack.triggers_of("Page")
    certified = {"PageCertificate": "-----BEGIN", "PageCertificateKey": "-----BEGIN"}
    domain = {"PageDomain": "drop.example.com"}
    shown = Template(template, {**PARAMETERS, **domain, **certified}, ATTRIBUTES)

    assert isinstance(trigger, HttpTrigger)
    assert (trigger.methods, trigger.auth) == (("GET", "POST", "PUT"), "anonymous")
    assert not Template(template, PARAMETERS, ATTRIBUTES).exists("PageAddress")
    assert shown.property("PageAddress", "Protocol") == "HTTPS"
    (rule,) = shown.property("Bucket", "CORSConfiguration")["CORSRule"]
    assert (rule["AllowedOrigin"], rule["AllowedMethod"]) == (["https://drop.example.com"], ["POST"])
    with pytest.raises(TemplateError, match="PageCertificate"):
        load_stack(PATH, {**PARAMETERS, **domain}, ATTRIBUTES)


def test_a_stack_without_a_token_has_no_address_for_events(stack: Stack) -> None:
    given = load_stack(PATH, {**PARAMETERS, "EventBridgeToken": "t" * 16}, ATTRIBUTES)

    settings = Settings.from_env(stack.function("Callback").environment)
    with_token = Settings.from_env(given.function("Callback").environment)

    assert event_check(settings) is None
    assert event_check(with_token) is not None


def test_the_timer_expression_is_one(stack: Stack) -> None:
    (trigger,) = stack.triggers_of("Reconcile")

    assert isinstance(trigger, TimerTrigger)
    assert trigger.enabled
    assert trigger.cron_expression == "@every 1m"


def test_the_event_pattern_lets_exactly_the_batch_events_through(stack: Stack) -> None:
    (trigger,) = stack.triggers_of("Message")

    assert isinstance(trigger, EventBridgeTrigger)
    assert trigger.schema == "CloudEvents"
    assert matches(trigger.pattern, BATCH_TASK_FINISH)
    assert not matches(trigger.pattern, {**BATCH_TASK_FINISH, "type": "dashscope:System:AsyncTaskFinish"})
    assert not matches(trigger.pattern, {**BATCH_TASK_FINISH, "source": "acs.oss"})


def test_rocketmq_is_a_second_way_to_message() -> None:
    stack = load_stack(PATH, {**PARAMETERS, "UseRocketMQ": "true"}, ATTRIBUTES)

    direct, queued = stack.triggers_of("Message")
    (rule,) = stack.rules
    (target,) = rule.targets
    assert isinstance(direct, EventBridgeTrigger)
    assert isinstance(queued, RocketMqTrigger)
    assert rule.pattern == direct.pattern
    assert target.parameters["Topic"] == ("CONSTANT", queued.topic)
    assert target.endpoint.endswith(f"/instances/{queued.instance_id}/topic/{queued.topic}")


def test_what_is_invoked_asynchronously_is_retried_and_never_lost_silently(stack: Stack) -> None:
    retries = {key: config.max_retries for key, config in stack.async_configs.items()}

    assert retries == {
        "Validate": 3,
        "Submit": 3,
        "Message": 3,
        "Collect": 3,
        "Reconcile": 0,
        "Notify": 3,
    }
    assert {config.on_failure for config in stack.async_configs.values()} == {
        "acs:mns:cn-beijing:1234567890123456:/queues/batchdrop-dead/messages"
    }


def test_there_are_alarms_only_for_those_who_are_named() -> None:
    names = {"AlarmContactGroup": "operators", "AlarmActionPolicy": "tell-operators"}
    quiet = Template(read_template(PATH), PARAMETERS, ATTRIBUTES)
    named = Template(read_template(PATH), PARAMETERS | names, ATTRIBUTES)

    assert [quiet.exists(alarm) for alarm in ("DeadLettersAlarm", "WaitingAlarm")] == [False, False]
    assert named.property("DeadLettersAlarm", "ContactGroups") == ["operators"]
    alarm = named.property("WaitingAlarm", "Detail")["Configuration"]
    assert alarm["PolicyConfiguration"]["ActionPolicyId"] == "tell-operators"
    assert [each["Query"] for each in alarm["QueryList"]] == [f'"{HELD_UP}"']


def test_whoever_calls_can_take_only_so_many_instances(template: dict[str, Any]) -> None:
    resolver = Template(template, {**PARAMETERS, "CallbackInstances": 7}, ATTRIBUTES)
    configs = [resolver.properties(key) for key in resolver.resources("ALIYUN::FC3::ConcurrencyConfig")]

    limits = {each["FunctionName"]: each["ReservedConcurrency"] for each in configs}

    assert limits == {
        "batchdrop-callback": 7,
        "batchdrop-validate": 10,
        "batchdrop-submit": 10,
        "batchdrop-collect": 10,
        "batchdrop-page": 10,
        "batchdrop-notify": 4,
    }


def test_the_reserved_instances_leave_most_of_a_new_account_to_others(template: dict[str, Any]) -> None:
    parameters = template["Parameters"]

    reserved = [spec["Default"] for name, spec in parameters.items() if name.endswith("Instances")]

    assert sum(reserved) < NEW_ACCOUNT_INSTANCES / 2


def test_the_bucket_is_encrypted_and_refuses_plain_http(template: dict[str, Any]) -> None:
    bucket = Template(template, PARAMETERS, ATTRIBUTES).properties("Bucket")

    assert bucket["ServerSideEncryptionConfiguration"] == {"SSEAlgorithm": "AES256"}
    (refusal,) = bucket["Policy"]["Statement"]
    assert (refusal["Effect"], refusal["Principal"], refusal["Action"]) == ("Deny", ["*"], ["oss:*"])
    assert refusal["Condition"] == {"Bool": {"acs:SecureTransport": ["false"]}}
    account = PSEUDO_PARAMETERS["ALIYUN::AccountId"]
    assert refusal["Resource"] == [f"acs:oss:*:{account}:drop", f"acs:oss:*:{account}:drop/*"]


@pytest.mark.parametrize(("chosen", "tags"), [({}, None), ({"InputFrom": "oss"}, dict([BUCKET_TAG]))])
def test_the_bucket_is_open_to_bailian_only_where_it_is_to_read_there(
    template: dict[str, Any], chosen: dict[str, object], tags: dict[str, str] | None
) -> None:
    bucket = Template(template, {**PARAMETERS, **chosen}, ATTRIBUTES).properties("Bucket")

    assert bucket.get("Tags") == tags
    assert load_stack(PATH, {**PARAMETERS, **chosen}, ATTRIBUTES).bucket_tags == (tags or {})


# What expires.


def lifecycle(template: Mapping[str, Any], parameters: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """The bucket's rules by prefix, resolved."""
    bucket = Template(template, {**PARAMETERS, **parameters}, ATTRIBUTES).properties("Bucket")
    return {rule["Prefix"]: rule for rule in bucket["LifecycleConfiguration"]["Rule"]}


def test_only_working_data_and_old_records_expire(template: dict[str, Any]) -> None:
    rules = lifecycle(template, {"WorkDays": 300, "RecordDays": 400})

    expiring = {prefix: rule["Expiration"]["Days"] for prefix, rule in rules.items() if "Expiration" in rule}
    lent = {"reuse/": LONGEST_REUSE.days + 1}
    assert expiring == {"work/": 300, "jobs/": 400, "batches/": 400, "money/": 400} | lent
    assert {rule["Status"] for rule in rules.values()} == {"Enabled"}


def test_no_two_rules_overlap(template: dict[str, Any]) -> None:
    prefixes = list(lifecycle(template, {}))

    for prefix in prefixes:
        assert [other for other in prefixes if other.startswith(prefix)] == [prefix]


def test_every_broken_multipart_upload_goes(template: dict[str, Any]) -> None:
    rules = lifecycle(template, {})

    written_in_parts = set().union(*ABORTS.values()) | {"inbox/"}
    assert {prefix for prefix, rule in rules.items() if "AbortMultipartUpload" in rule} >= written_in_parts


def test_what_an_open_job_needs_outlives_it(template: dict[str, Any]) -> None:
    parameters = template["Parameters"]

    assert parameters["WorkDays"]["MinValue"] == parameters["WorkDays"]["Default"] == WORK_KEPT.days
    assert parameters["RecordDays"]["MinValue"] > WORK_KEPT.days


# Permissions and loops.


def role_of(function: str) -> str:
    return {"notify": "WordsRole"}.get(function, f"{function.capitalize()}Role")


def statements(template: Mapping[str, Any], function: str) -> list[dict[str, Any]]:
    """What the role of one function allows, resolved."""
    resolver = Template(template, PARAMETERS, ATTRIBUTES)
    role = resolver.properties(role_of(function))
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def allowed(template: Mapping[str, Any], function: str, action: str) -> set[str]:
    """The prefixes on which a function may do something."""
    resources = [
        resource
        for statement in statements(template, function)
        if action in statement["Action"]
        for resource in statement["Resource"]
    ]
    return {resource.removeprefix("acs:oss:*:*:drop/").removesuffix("*") for resource in resources}


# What lists folders, and nothing that lies in them.
THE_TOP = {"StringEquals": {"oss:Prefix": [""], "oss:Delimiter": ["/"]}}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_exactly_what_its_step_needs(template: dict[str, Any], function: str) -> None:
    assert allowed(template, function, "oss:PutObject") == WRITES[function]
    assert allowed(template, function, "oss:GetObject") == READS[function]
    assert allowed(template, function, "oss:DeleteObject") == DELETES[function]
    listed = [one for one in statements(template, function) if "oss:ListObjects" in one["Action"]]
    looks = [one for one in listed if one["Condition"] == THE_TOP]
    prefixes = {
        prefix
        for one in listed
        if one not in looks
        for prefix in one["Condition"]["StringLike"]["oss:Prefix"]
    }
    assert prefixes == {f"{prefix}*" for prefix in LISTS[function]}
    assert len(looks) == (function in LOOKS)
    assert allowed(template, function, "oss:AbortMultipartUpload") == ABORTS[function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_nothing_else(template: dict[str, Any], function: str) -> None:
    found = statements(template, function)

    actions = {action for one in found for action in one["Action"]}
    tables = {"GetObject": READS, "ListObjects": LISTS, "PutObject": WRITES, "DeleteObject": DELETES}
    needed = {
        f"oss:{action}"
        for action, table in {**tables, "AbortMultipartUpload": ABORTS}.items()
        if table[function]
    }
    # Anybody may call these two: they are not invoked asynchronously and put nothing in the queue.
    assert actions == needed | {"log:PostLogStoreLogs"} | (
        {"mns:SendMessage"} if function not in {"callback", "page"} else set()
    )
    assert {one["Effect"] for one in found} == {"Allow"}
    assert [one for one in found if "Condition" in one] == [
        one for one in found if one["Action"] == ["oss:ListObjects"]
    ]


def test_each_function_assumes_its_own_role(template: dict[str, Any]) -> None:
    for function in FUNCTIONS:
        properties = template["Resources"][function.capitalize()]["Properties"]
        assert intrinsic(properties["Role"]) == ("Fn::GetAtt", [role_of(function), "Arn"])


def test_the_role_by_which_oss_starts_functions_keeps_its_name(template: dict[str, Any]) -> None:
    """Else an upgrade changes it before the triggers that name it, and nothing starts meanwhile."""
    resolver = Template(template, PARAMETERS, ATTRIBUTES)

    assert resolver.properties("NotifyRole")["RoleName"] == "batchdrop-notify"
    assert {
        intrinsic(template["Resources"][key]["Properties"]["InvocationRole"])[1][0]
        for key in resolver.resources("ALIYUN::FC3::Trigger")
        if "InvocationRole" in template["Resources"][key]["Properties"]
    } == {"NotifyRole"}


def wakes(stack: Stack, writes: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Which functions an OSS trigger starts because of what a function writes."""
    triggers = [trigger for trigger in stack.triggers if isinstance(trigger, OssTrigger)]
    return {
        function: {
            stack.function(trigger.function).folder
            for trigger in triggers
            if any(
                prefix.startswith(trigger.prefix) or trigger.prefix.startswith(prefix) for prefix in prefixes
            )
        }
        for function, prefixes in writes.items()
    }


def find_loop(edges: Mapping[str, set[str]]) -> list[str]:
    def walk(path: list[str]) -> list[str]:
        for follower in sorted(edges.get(path[-1], ())):
            if follower in path:
                return [*path, follower]
            loop = walk([*path, follower])
            if loop:
                return loop
        return []

    return next(filter(None, (walk([start]) for start in edges)), [])


def test_no_write_can_start_a_loop(template: dict[str, Any], stack: Stack) -> None:
    writes = {function: allowed(template, function, "oss:PutObject") for function in FUNCTIONS}

    edges = wakes(stack, writes)

    assert edges == {
        "validate": {"submit", "collect", "notify"},
        "submit": {"submit"},
        "callback": {"collect"},
        "message": {"collect"},
        "collect": {"submit", "notify"},
        "reconcile": {"submit", "collect", "validate", "notify"},
        "notify": set(),
        "page": {"validate", "submit", "collect", "notify"},
    }
    assert find_loop(without_puts_back(edges)) == []


def without_puts_back(edges: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """A ticket that submit puts back has to wait five minutes or more, so its event ends there.

    See test_the_event_of_a_ticket_that_was_put_back_does_nothing.
    """
    return {
        function: followers - ({"submit"} if function == "submit" else set())
        for function, followers in edges.items()
    }


@pytest.mark.parametrize(
    ("function", "prefix", "loop"),
    [
        ("validate", "inbox/retry/", ["validate", "validate"]),
        ("submit", "finished/", ["collect", "submit", "collect"]),
        ("collect", "", ["collect", "collect"]),
        ("notify", "outbox/", ["notify", "notify"]),
    ],
)
def test_a_loop_would_be_found(stack: Stack, function: str, prefix: str, loop: list[str]) -> None:
    edges = wakes(stack, {**WRITES, function: WRITES[function] | {prefix}})

    found = find_loop(without_puts_back(edges))

    assert found[-len(loop) :] == loop
