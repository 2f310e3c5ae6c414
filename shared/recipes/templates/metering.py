"""Makes the filters, tests, calls and bodies of a template pay a meter for their work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError

from shared.recipes.templates.meter import CALL_STEPS, FILTER_STEPS, Meter

# No template can spell this name.
METERED = "batchdrop metered"
_ITERATING = frozenset(
    ("groupby", "join", "list", "map", "max", "min", "reject", "rejectattr", "select", "selectattr", "sort")
) | {"sum", "unique"}
# By how much more they cost: each part becomes a text of its own.
_SPLITTING = {"rsplit": 8, "split": 8, "splitlines": 8, "striptags": 8, "title": 20, "wordcount": 8}
_MAX_DIGITS = 100
_MAX_INDENT = 16


def paying(meter: Meter, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of a filter or test, which pays before it works and for what it makes."""
    given = args[1:] if hasattr(function, "jinja_pass_arg") else args
    _require_modest(name, given[1:], kwargs)
    if name in _ITERATING:
        meter.pay_iterated(given[0])
    if name == "join":
        _pay_join(meter, kwargs.get("d", "".join(map(str, given[1:2]))), given[0])
    elif name == "replace":
        _pay_replace(meter, *map(str, (*given[:3], *kwargs.values())[:3]))
    paid = meter.pay((*given, *kwargs.values()), FILTER_STEPS, _SPLITTING.get(name, 1))
    return meter.pay_growth(function(*args, **kwargs), paid)


def paying_call(
    meter: Meter, function: object, args: tuple[Any, ...], kwargs: dict[str, Any], call: Callable[..., Any]
) -> Any:
    """The result of a method or macro, which pays before it works and for what it makes."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if isinstance(owner, str | bytes):
        if name == "replace" and isinstance(owner, str):
            _pay_replace(meter, owner, *map(str, args[:2]))
        elif name == "join" and args:
            _pay_join(meter, owner, args[0])
    read = (owner,) if isinstance(owner, str | bytes | list | tuple) else ()
    paid = meter.pay((*read, *args, *kwargs.values()), CALL_STEPS, _SPLITTING.get(name, 1))
    result = call()
    # Views of a mapping cost nothing.
    return meter.pay_growth(result, paid) if isinstance(result, str | bytes | list | tuple) else result


def with_meters(tree: nodes.Template) -> nodes.Template:
    """The template; what no filter does in it pays, too, and each run of a body."""
    for node in list(tree.find_all(nodes.Node)):
        if isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block):
            paid = _metered(nodes.Const(None), _steps_of(node.body))
            node.body.insert(0, nodes.ExprStmt(paid, lineno=node.lineno))
        if isinstance(node, nodes.For) and node.test is not None:
            node.test = _metered(node.test, _steps_of([node.test]))
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


def _metered(node: nodes.Node, steps: int = 1) -> nodes.Filter:
    paid: list[nodes.Expr] = [nodes.Const(steps)]
    return nodes.Filter(node, METERED, paid, [], None, None, lineno=node.lineno)


def _steps_of(body: Iterable[nodes.Node]) -> int:
    return sum(1 + sum(1 for _ in node.find_all(nodes.Node)) for node in body)


def _require_modest(name: str, options: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse options with which a filter makes very much, or takes very long, of very little."""
    if name == "round":
        digits = kwargs.get("precision", *options[:1] or (0,))
        if isinstance(digits, int) and abs(digits) > _MAX_DIGITS:
            raise SecurityError(f"round works with up to {_MAX_DIGITS} digits only")
    elif name == "tojson":
        indent = kwargs.get("indent", *options[:1] or (0,))
        if isinstance(indent, str) or (isinstance(indent, int) and indent > _MAX_INDENT):
            raise SecurityError(f"tojson works with an indent of up to {_MAX_INDENT} only")
    elif name == "sum" and not isinstance(kwargs.get("start", *options[1:2] or (0,)), int | float):
        raise SecurityError("sum works on numbers only")


def _pay_replace(meter: Meter, text: str = "", old: str = "", new: str = "") -> None:
    meter.charge(text.count(old) * len(new))


def _pay_join(meter: Meter, glue: Any, parts: Any) -> None:
    meter.pay_iterated(parts)
    if hasattr(parts, "__len__"):
        meter.charge(len(parts) * len(str(glue)))
