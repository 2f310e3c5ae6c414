"""Writes the tables of our pages that the code decides: ``python -m scripts.pages``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from string import Formatter

from scripts.template.idle_cost import idle_cost, idle_costs
from scripts.template.read import load_stack
from scripts.template.ros import read_template
from scripts.template.stack import FunctionSpec
from shared.problems.render import MESSAGES
from shared.results.replies.sent_again import CODES, CODES_OF_REASONS, OWN_CODES, STATUS_CODES, WORDS
from shared.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"
COMMAND = ".venv/bin/python -m scripts.pages"

_TABLE = re.compile(r"(?<=<!-- generated: )(.+?)( -->\n).*?(?=<!-- end -->)", re.DOTALL)
# Without these the template cannot be resolved; none of them decides anything that is shown.
_GIVEN = {"BucketName": "bucket", "CodeBucket": "c", "DashScopeApiKey": "k", "CallbackSecret": "s" * 32}
_URLS = {(f"{name}Trigger", "UrlInternet"): "https://example" for name in ("Callback", "Page")}
_ACTIONS = {"reads": "oss:GetObject", "writes": "oss:PutObject", "deletes": "oss:DeleteObject"}


def codes() -> str:
    """Every code with its two texts; what differs from case to case keeps its name in braces."""
    rows = ((f"`{code}`", _shown(each.zh), _shown(each.en)) for code, each in sorted(MESSAGES.items()))
    return _table(("code", "中文", "English"), rows)


def sent_again() -> str:
    """Which unanswered rows are sent again by themselves."""
    rows = [(f"our own `{code}`", "yes" if is_again else "no") for code, is_again in OWN_CODES.items()]
    rows += [
        (f"nothing written, and the finish reason is `{reason}`: `{code}`", "yes")
        if OWN_CODES[code]
        else (f"no text, and the finish reason is `{reason}`: `{code}`", "no")
        for reason, code in CODES_OF_REASONS.items()
    ]
    status_codes = ", ".join(map(str, sorted(STATUS_CODES)))
    words = ", ".join(f"`{word}`" for word in WORDS)
    rows += [
        (f"HTTP status {status_codes}, and 500 or more", "yes"),
        (f"a code of the provider with one of these in it, however its words are parted: {words}", "yes"),
        *((f"the provider's `{code}` ({meaning})", "yes") for code, meaning in CODES.items()),
        ("any other code of the provider", "no"),
    ]
    return _table(("the row's code", "sent again"), rows)


def settings() -> str:
    """Every environment variable, its default, and the functions that are given it."""
    functions = _functions()
    rows = (
        (
            f"`{each.name}`",
            "required" if each.is_required else _value(each.default),
            each.meaning,
            ", ".join(spec.folder for spec in functions if each.name in spec.environment),
        )
        for each in Settings.variables()
    )
    return _table(("variable", "default", "meaning", "functions"), rows)


def parameters() -> str:
    """What a stack can be given."""
    rows = (
        (
            f"`{name}`",
            _value(each["Default"]) if "Default" in each else "required",
            each.get("Description", ""),
        )
        for name, each in read_template(TEMPLATE)["Parameters"].items()
    )
    return _table(("parameter", "default", "meaning"), rows)


def roles() -> str:
    """The folders that each function may touch."""
    rows = (
        (f"`{spec.folder}`", *(_folders(spec, action) for action in _ACTIONS.values()))
        for spec in _functions()
    )
    return _table(("function", *_ACTIONS), rows)


def costs() -> str:
    """What an idle stack costs, by service."""
    rows = [(item.service, f"{item.low:.1f} to {item.high:.1f}", item.why) for item in idle_costs()]
    total = tuple(f"**{bound:.0f}**" for bound in idle_cost())
    return _table(("service", "yuan a month", "for"), [*rows, ("all", " to ".join(total), "")])


PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "shared/problems/README.md": {"sent_again": sent_again, "codes": codes},
    "functions/README.md": {
        "settings": settings,
        "parameters": parameters,
        "roles": roles,
        "costs": costs,
    },
}


def with_tables(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """The page with each table as the code has it now."""
    return _TABLE.sub(lambda match: f"{match[1]}{match[2]}\n{tables[match[1]]()}\n\n", page)


def main() -> None:
    for name, tables in PAGES.items():
        path = ROOT / name
        path.write_text(with_tables(path.read_text(encoding="utf-8"), tables), encoding="utf-8")


def _functions() -> tuple[FunctionSpec, ...]:
    return tuple(load_stack(TEMPLATE, _GIVEN, _URLS).functions)


def _folders(spec: FunctionSpec, action: str) -> str:
    resources = (
        resource for each in spec.statements if action in each.actions for resource in each.resources
    )
    return " ".join(f"`{resource.split('bucket/')[1].removesuffix('*')}`" for resource in sorted(resources))


def _value(default: object) -> str:
    return "–" if default in (None, "") else f"`{default}`"


def _shown(text: str) -> str:
    """A message's text as a cell: placeholders by name, single braces, one line."""
    parts = (literal + (f"{{{field}}}" if field else "") for literal, field, *_ in Formatter().parse(text))
    return "".join(parts).replace("|", "\\|").replace("<", "&lt;")


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (header, ("---",) * len(header), *rows)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


if __name__ == "__main__":
    main()
