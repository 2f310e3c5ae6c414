"""Makes the filters, tests, calls and bodies of a template pay a meter for their work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from inspect import signature
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError

from shared.recipes.templates.meter import CALL_STEPS, FILTER_STEPS, ITEM_STEPS, Meter

# No template can spell these names.
METERED = "batchdrop metered"
RAN = "batchdrop ran"
# What they make is made one by one when it is asked for, if it is not made a list before.
_LAZY = frozenset({"items", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "unique"})
_ITERATING = _LAZY | {"groupby", "join", "list", "max", "min", "sort", "sum"} - {"items", "reverse"}
# By how much more they cost: each part becomes a text of its own, or each character several.
_DEAR = {"rsplit": 8, "split": 8, "splitlines": 8, "striptags": 20, "title": 20, "wordcount": 8}
_DEAR |= {"tojson": 3, "urlencode": 6, "xmlattr": 3}
# They look up a name in several places, or make an object or a text.
_DEAR_NODES = (nodes.AssignBlock, nodes.Block, nodes.CallBlock, nodes.For, nodes.Getattr, nodes.Macro)
# So many characters are compared or copied in a step where that is all that is done.
_COMPARED = 32
# Of what a method is called, if it reads it all.
_READ = (str, list, tuple)
_RUN_STEPS = 4
_MAX_DIGITS = 100
_MAX_INDENT = 16


def paying(meter: Meter, name: str, function: Any) -> Callable[..., Any]:
    """The filter or test, which pays before it works and for what it makes."""
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0
    times, pay_before = _DEAR.get(name, 1), _BEFORE.get(name)
    option_names = _parameters(function)[skipped + 1 :] if pay_before else ()

    def paid_for(*args: Any, **kwargs: Any) -> Any:
        given = args[skipped:]
        paid = 0
        if name in _ITERATING:
            if hasattr(given[0], "__next__"):
                given = ([*given[0]], *given[1:])
                args = (*args[:skipped], *given)
            elif isinstance(given[0], str):
                paid = meter.charge(len(given[0]) * ITEM_STEPS)
        paid += meter.pay((*given, *kwargs.values()) if kwargs else given, FILTER_STEPS, times)
        if pay_before:
            paid += pay_before(meter, given[0], dict(zip(option_names, given[1:], strict=False)) | kwargs)
        result = function(*args, **kwargs)
        if isinstance(result, str):
            result = str(result)  # and not HTML, for which what is joined to it would be escaped
        elif name in _LAZY:
            result = [*result]
        return meter.pay_growth(result, paid)

    # Jinja2's marks, such as that of a filter which is handed the context.
    vars(paid_for).update(getattr(function, "__dict__", {}))
    return paid_for


@cache
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(signature(function).parameters)


def pay_call(meter: Meter, function: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    """Pay before the call of a method or macro; return how much of its result is paid."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    read = (owner,) if isinstance(owner, _READ) else ()
    paid = meter.pay((*read, *args, *kwargs.values()), CALL_STEPS, _DEAR.get(name, 1))
    if isinstance(owner, str) and name in _METHODS:
        paid += meter.charge(_METHODS[name](owner, *args))
    return paid


def with_meters(tree: nodes.Template) -> nodes.Template:
    """The template; what no filter does in it pays, too, and each run of a body.

    Raises:
        TemplateSyntaxError: It has ``{% autoescape %}``, which makes HTML, or a block that is
            scoped, and so copies all columns.
    """
    for node in list(tree.find_all(nodes.Node)):
        if isinstance(node, nodes.EvalContextModifier):
            raise TemplateSyntaxError("a prompt is plain text, so there is no autoescape", node.lineno)
        if isinstance(node, nodes.Block) and node.scoped:
            raise TemplateSyntaxError("no template extends this one, so no block is scoped", node.lineno)
        if isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block):
            run = _run(_RUN_STEPS + _steps_of([*node.body, *getattr(node, "defaults", ())]), node.lineno)
            node.body.insert(0, nodes.ExprStmt(run, lineno=node.lineno))
        if isinstance(node, nodes.For) and node.test is not None:
            # A text that ``loop.length`` counts is kept as a list of what the test lets through.
            run = _run(_steps_of([node.test]) + ITEM_STEPS, node.lineno)
            node.test = nodes.And(nodes.Not(run), node.test, lineno=node.lineno)
        elif isinstance(node, nodes.Compare | nodes.Operand | nodes.Concat | nodes.Getitem | nodes.Pair):
            _meter_operands(node)
        elif isinstance(node, nodes.Call | nodes.Filter | nodes.Test) and node.dyn_args is not None:
            node.dyn_args = nodes.Filter(node.dyn_args, "list", [], [], None, None, lineno=node.lineno)
    return tree


def _meter_operands(node: nodes.Node) -> None:
    """Have all paid for that is compared, joined, copied, or looked up in a mapping."""
    if isinstance(node, nodes.Compare | nodes.Operand):
        node.expr = _metered(node.expr)
    elif isinstance(node, nodes.Concat):
        node.nodes = [_metered(each) for each in node.nodes]
    elif isinstance(node, nodes.Pair):
        node.key = _metered(node.key)
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        node.node = _metered(node.node)
    elif isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
        node.arg = _metered(node.arg)


def _metered(node: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, METERED, [], [], None, None, lineno=node.lineno)


def _run(steps: int, lineno: int) -> nodes.Filter:
    return nodes.Filter(nodes.Const(steps), RAN, [], [], None, None, lineno=lineno)


def _steps_of(body: Iterable[nodes.Node]) -> int:
    every = (each for node in body for each in (node, *node.find_all(nodes.Node)))
    return sum(ITEM_STEPS if isinstance(each, _DEAR_NODES) else 1 for each in every)


def _pay_replace(meter: Meter, text: Any, options: Mapping[str, Any]) -> int:
    return meter.charge(_replaced(str(text), str(options.get("old", "")), str(options.get("new", ""))))


def _pay_join(meter: Meter, parts: Any, options: Mapping[str, Any]) -> int:
    _pay_attribute(meter, parts, options)
    return meter.charge(_glued(str(options.get("d", "")), parts))


def _pay_attribute(meter: Meter, _value: Any, options: Mapping[str, Any]) -> int:
    """Pay for the path to an attribute, each step of which is a text or a number of its own."""
    attribute = options.get("attribute", options.get("args"))
    if isinstance(attribute, str):
        meter.charge(len(attribute) * ITEM_STEPS)
    return 0


def _pay_unique(meter: Meter, value: Any, options: Mapping[str, Any]) -> int:
    """Pay for numbers: as keys they may look alike, so that each is compared to all others."""
    _pay_attribute(meter, value, options)
    if not isinstance(value, str) and ("attribute" in options or {*map(type, value)} - {str}):
        meter.charge(len(value) ** 2 // _COMPARED)
    return 0


def _pay_sum(meter: Meter, value: Any, options: Mapping[str, Any]) -> int:
    if not isinstance(options.get("start", 0), int | float):
        raise SecurityError("sum works on numbers only")
    return _pay_attribute(meter, value, options)


def _pay_indent(meter: Meter, value: Any, options: Mapping[str, Any]) -> int:
    indent = options.get("indent")
    if isinstance(indent, str) or (isinstance(indent, int) and indent > _MAX_INDENT):
        raise SecurityError(f"tojson works with an indent of up to {_MAX_INDENT} only")
    if isinstance(indent, int):
        meter.pay_indent(value, max(indent, 0))
    return 0


def _require_digits(_meter: Meter, _value: Any, options: Mapping[str, Any]) -> int:
    digits = options.get("precision", 0)
    if isinstance(digits, int) and abs(digits) > _MAX_DIGITS:
        raise SecurityError(f"round works with up to {_MAX_DIGITS} digits only")
    return 0


def _pay_trim(meter: Meter, text: Any, options: Mapping[str, Any]) -> int:
    chars = options.get("chars")
    meter.charge(_searched(text, chars) if isinstance(text, str) else 0)
    return 0


def _replaced(text: str, old: Any = "", new: Any = "", *_count: Any) -> int:
    """How much may be put in."""
    return text.count(str(old)) * len(str(new))


def _glued(glue: str, parts: Any = (), *_: Any) -> int:
    if hasattr(parts, "__next__"):
        raise SecurityError("join works on lists only")
    if not hasattr(parts, "__len__"):
        return 0
    return len(parts) * (len(glue) + (ITEM_STEPS if isinstance(parts, str) else 0))


def _searched(text: str, chars: Any = None, *_: Any) -> int:
    """Where each character may be compared to all others, as Python does from the right."""
    return len(text) * len(chars) // _COMPARED if isinstance(chars, str) else 0


_BEFORE = {
    "replace": _pay_replace,
    "join": _pay_join,
    "sum": _pay_sum,
    "unique": _pay_unique,
    "trim": _pay_trim,
    "tojson": _pay_indent,
    "round": _require_digits,
} | dict.fromkeys(("groupby", "map", "max", "min", "rejectattr", "selectattr", "sort"), _pay_attribute)
_METHODS: dict[str, Callable[..., int]] = {"replace": _replaced, "join": _glued}
_METHODS |= dict.fromkeys(("lstrip", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "strip"), _searched)
