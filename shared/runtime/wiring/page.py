"""Wires the function ``page``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.pipeline.page.check_recipe import CheckRecipe
from shared.pipeline.page.files.list_side_by_side import SideBySide
from shared.pipeline.page.folder_page import FolderPage
from shared.pipeline.page.gate import Gate, Visit
from shared.pipeline.page.try_recipe import Allowance, TryRecipe
from shared.runtime.context import FcContext
from shared.runtime.setting_types import is_own_url
from shared.runtime.settings import Settings, current_settings
from shared.runtime.system_clock import SystemClock, new_run_id
from shared.runtime.wiring.open_store import open_signed_access, open_store
from shared.runtime.wiring.providers.profiles import provider_choice
from shared.runtime.wiring.providers.real_time import real_times


@dataclass(frozen=True)
class PageDoor:
    """What answers requests. Each brings its own credentials, in its context.

    Attributes:
        let_in: By the header ``Authorization``; raises ``NotLetIn``.
        open_folder: What the link of a visit opens.
        bucket_origin: Where browsers upload to.
        is_local: Nobody needs a link.
        allowance: Of each link, for ``try_recipe``.
        answered_by: As the setting; empty where the providers answer themselves.
        dead_letter_queue: As the setting.
    """

    let_in: Callable[[FcContext, str], Visit]
    open_folder: Callable[[FcContext, Visit], FolderPage]
    bucket_origin: str
    is_local: bool
    try_recipe: TryRecipe
    allowance: Allowance
    answered_by: str = ""
    dead_letter_queue: str | None = None


def page_door() -> PageDoor:
    settings = current_settings()
    secret = settings.page_secret
    gate = Gate(
        secret=secret.get_secret_value().encode() if secret else None,
        is_open=settings.page_open == "local",
        clock=SystemClock(),
    )

    check_recipe, side_by_side = CheckRecipe(provider_choice(settings)), SideBySide()

    def open_folder(context: FcContext, visit: Visit) -> FolderPage:
        return FolderPage(
            folder=visit.folder,
            store=open_store(settings, context),
            access=open_signed_access(settings, context),
            clock=gate.clock,
            check_recipe=check_recipe,
            bucket=settings.bucket_name,
            run_id=new_run_id(),
            side_by_side=side_by_side,
            until=visit.expires_at,
        )

    return PageDoor(
        let_in=lambda context, authorization: gate(authorization, lambda: open_store(settings, context)),
        open_folder=open_folder,
        bucket_origin=_bucket_origin(settings),
        is_local=gate.is_open,
        try_recipe=TryRecipe(check_recipe, real_times(settings)),
        allowance=Allowance(gate.clock),
        answered_by=settings.answered_by or "",
        dead_letter_queue=settings.dead_letter_queue,
    )


def _bucket_origin(settings: Settings) -> str:
    """Where the forms of ``SignedAccess`` are posted to."""
    endpoint = settings.oss_public_endpoint or settings.oss_endpoint
    url = urlsplit(endpoint)
    host = url.netloc if is_own_url(endpoint) else f"{settings.bucket_name}.{url.netloc}"
    return f"{url.scheme}://{host}"
