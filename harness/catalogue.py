"""One plugin's catalogue: imported, checked and asked for its specs, away from all other plugins.

Each plugin gets a pluggy manager of its own. A plugin that fails to import, to fit the hooks or to
answer is then quarantined alone, and none can wrap or block the hooks of another.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import pluggy

from harness import hooks
from harness.entrypoints import Plugin
from harness.interfaces import KINDS
from harness.spec import Spec

_MACHINERY = (
    "<",
    *(str(Path(inspect.getfile(module)).parent) + os.sep for module in (hooks, pluggy, importlib)),
)
"""How the files begin whose lines say nothing about what is wrong with a plugin."""


class QuarantineError(Exception):
    """Why a plugin is left out, in one line."""


def offers(plugin: Plugin) -> list[tuple[str, Spec]]:
    """Import a plugin's catalogue and return what it offers as (kind, spec), in its own order.

    Raises QuarantineError when the import or a hook fails, a hook is unknown or takes wrong arguments,
    nothing is offered, or what is offered is not a list of distinct specs.
    """
    try:
        module = _resolve(plugin.module)
        manager = pluggy.PluginManager(hooks.PROJECT)
        manager.add_hookspecs(hooks)
        manager.register(module, plugin.name)
        manager.check_pending()
        implemented = {caller.name: caller for caller in manager.get_hookcallers(module) or ()}
        if not implemented:
            raise QuarantineError(f"{plugin.module} has no function marked @hookimpl")
        found: list[tuple[str, Spec]] = []
        for kind in KINDS:
            caller = implemented.get(f"harness_{kind}s")
            if caller:
                # pluggy leaves None out of the answers, so a forgotten return shows as no answer.
                for answer in caller() or [None]:
                    found += [(kind, spec) for spec in _checked(caller.name, answer)]
    except QuarantineError:
        raise
    except (Exception, SystemExit) as error:
        raise QuarantineError(explain(error)) from error
    return found


def _resolve(value: str) -> object:
    """What an entry point's value, ``module`` or ``module:object.attribute``, names."""
    name, _, attributes = value.partition(":")
    found: object = importlib.import_module(name.strip())
    for attribute in filter(None, attributes.strip().split(".")):
        found = getattr(found, attribute)
    return found


def _checked(hook: str, answer: object) -> list[Spec]:
    """A hook's answer, if it is a list of distinct specs that can be told apart; else QuarantineError."""
    if not isinstance(answer, Iterable) or isinstance(answer, str | bytes):
        raise QuarantineError(f"{hook} returned {_article(answer)}, not a list of Spec")
    specs: list[Spec] = []
    for spec in answer:
        if not isinstance(spec, Spec):
            raise QuarantineError(f"{hook} returned a list with {_article(spec)} in it, not only Spec")
        if spec.name in {other.name for other in specs}:
            raise QuarantineError(f"{hook} returned {spec.name!r} twice")
        if len({*spec.fields, *spec.options}) < len(spec.fields) + len(spec.options):
            raise QuarantineError(f"{hook} returned {spec.name!r}, which sets one option twice")
        if spec.fields and not any(map(str.isalnum, spec.render(**dict.fromkeys(spec.fields, "")))):
            raise QuarantineError(f"{hook} returned {spec.name!r}, which would answer to every name")
        specs.append(spec)
    return specs


def _article(value: object) -> str:
    return f"a value of type {type(value).__name__}"


def explain(error: BaseException) -> str:
    """An error of somebody else's code in one line: its type, its message and where it arose."""
    text = " ".join(str(error).split())
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    place = _place(error.__traceback__)
    return f"{line} ({place})" if place else line


def _place(traceback: TracebackType | None) -> str | None:
    """``file:line`` of the innermost frame that is neither ours nor the import system's."""
    place = None
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not file.startswith(_MACHINERY):
            place = f"{file}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
