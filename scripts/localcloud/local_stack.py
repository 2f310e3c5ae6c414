"""Reads ``template.yaml`` as a stack on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scripts.localcloud.access.own_keys import callback_secret, page_secret
from scripts.localcloud.clouds.second_cloud import SecondCloud
from scripts.localcloud.options import REPOSITORY, CloudOptions
from scripts.template.read import load_stack
from scripts.template.stack import HttpTrigger, Stack

_HTTP_TRIGGERS = ("CallbackTrigger", "PageTrigger")


def local_stack(
    options: CloudOptions,
    second_clouds: Iterable[SecondCloud],
    parameters: Mapping[str, str],
    urls: Mapping[HttpTrigger, str],
) -> Stack:
    """The stack with its parameters.

    Args:
        options: What somebody chose overrides all else.
        second_clouds: Each has parameters of its own.
        parameters: Where Bailian and OSS are, and the key for them.
        urls: Of the functions that answer HTTP; without any, they are made up.
    """
    given = {
        **parameters,
        "CallbackSecret": callback_secret(options.data_dir),
        "PageSecret": page_secret(options.data_dir),
        "PageOpen": "local",
        **{name: value for each in second_clouds for name, value in each.template_parameters().items()},
        **options.template_parameters(),
    }
    known = {each.logical_id: url for each, url in urls.items()} or dict.fromkeys(_HTTP_TRIGGERS, "")
    attributes = {(logical_id, "UrlInternet"): url for logical_id, url in known.items()}
    return load_stack(REPOSITORY / "template.yaml", given, attributes)
