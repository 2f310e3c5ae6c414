"""Find the handler that a name such as ``functions.submit.index.handler`` means."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from shared.problems.exceptions import ConfigurationError
from shared.runtime.invocation import Failure, attempt

Handler = Callable[[object, object], object]


class HandlerNotLoadable(ConfigurationError):
    """The configured handler cannot be used; the message says why."""

    code = "handler_not_loadable"


def load_handler(name: str) -> Handler:
    """Import the module and return the function; ``functions/submit/index.handler`` works too.

    Raises:
        HandlerNotLoadable: Each with its own message: a malformed name, no such module, a module
            that fails at import (the cause is attached), no such function, not callable.
    """
    module_name, _, function_name = name.replace("/", ".").rpartition(".")
    if not all(part.isidentifier() for part in [*module_name.split("."), function_name]):
        message = f"handler {name!r} is malformed; write it like functions.submit.index.handler"
        raise HandlerNotLoadable(message)
    module = attempt(lambda: importlib.import_module(module_name))
    if isinstance(module, Failure):
        raise _import_problem(name, module_name, module.error) from module.error
    if not hasattr(module, function_name):
        message = f"handler {name!r}: module {module_name} has no function {function_name!r}"
        raise HandlerNotLoadable(message)
    handler: object = getattr(module, function_name)
    if not callable(handler):
        message = f"handler {name!r}: {function_name!r} is a {type(handler).__name__}, not callable"
        raise HandlerNotLoadable(message)
    return handler


def _import_problem(name: str, module_name: str, error: Exception) -> HandlerNotLoadable:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing and (module_name == missing or module_name.startswith(f"{missing}.")):
        return HandlerNotLoadable(f"handler {name!r}: there is no module {missing!r}")
    return HandlerNotLoadable(
        f"handler {name!r}: importing {module_name} failed: {type(error).__name__}: {error}"
    )
