import re

import pytest
from distributions import Site

from harness.catalogue import QuarantineError, explain, offers
from harness.entrypoints import Plugin

HEAD = "from harness import Spec, hookimpl\nimport harness\n"


def plugin(module: str = "guest") -> Plugin:
    return Plugin("guest", "1.0", "main", module)


def reason(site: Site, code: str, module: str = "guest") -> str:
    site.module("guest", HEAD + code)
    with pytest.raises(QuarantineError) as caught:
        offers(plugin(module))
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_offers_keep_the_plugins_order_within_a_kind(site: Site) -> None:
    site.module(
        "guest",
        HEAD
        + """
@hookimpl
def harness_judges(): return [Spec("z", "guest:Z", ""), Spec("a", "guest:A", "")]
@hookimpl
def harness_corruptions(): return (Spec("fog", "guest:Fog", ""),)
""",
    )
    assert [(kind, spec.name) for kind, spec in offers(plugin())] == [
        ("corruption", "fog"),
        ("judge", "z"),
        ("judge", "a"),
    ]


def test_an_entry_point_may_name_an_object(site: Site) -> None:
    site.module(
        "guest",
        HEAD
        + """
class Offers:
    class Inner:
        @hookimpl
        def harness_judges(self): return [Spec("j", "guest:J", "")]
        """
        + "\nOffers.ready = Offers.Inner()\n",
    )
    assert [spec.name for _, spec in offers(plugin("guest : Offers.ready"))] == ["j"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import not_installed_anywhere", r"ModuleNotFoundError: .*not_installed_anywhere.*guest\.py:3\)"),
        ("def broken(:", r"SyntaxError: .*guest\.py, line 3\)"),
        ("raise SystemExit(3)", r"SystemExit: 3 \(.*guest\.py:3\)"),
        ("1 / 0", r"ZeroDivisionError: division by zero \(.*guest\.py:3\)"),
        ("raise ValueError('a\\n  b')", r"ValueError: a b \(.*guest\.py:3\)"),
        ("raise KeyError", r"^KeyError \(.*guest\.py:3\)"),
        ("def harness_judges(): return []", "guest has no function marked @hookimpl"),
        ("@hookimpl\ndef harness_judges(x): return []", "PluginValidationError: .*'x'"),
        (
            "@hookimpl\ndef harness_noises(): return []",
            "PluginValidationError: unknown hook 'harness_noises'",
        ),
        ("@hookimpl\ndef harness_judges(): return 1 / 0", r"ZeroDivisionError: .*guest\.py:4\)"),
        ("@hookimpl\ndef harness_judges(): pass", "harness_judges returned .*NoneType, not a list of Spec"),
        ("@hookimpl\ndef harness_judges(): return 'exact'", "harness_judges returned .*str, not a list"),
        ("@hookimpl\ndef harness_judges(): return ['exact']", "a list with a value of type str in it"),
        (
            "@hookimpl\ndef harness_judges(): return [Spec('a', 'no class', '')]",
            r"ValueError: .*guest\.py:4\)",
        ),
        ("@hookimpl\ndef harness_judges(): return 2 * [Spec('a', 'g:A', '')]", "returned 'a' twice"),
        ("@hookimpl\ndef harness_judges(): return [Spec('{x}:{x}', 'g:A', '')]", "sets one option twice"),
        (
            "@hookimpl\ndef harness_judges(): return [Spec('a:{x}', 'g:A', '', options={'x': 1})]",
            "sets one option twice",
        ),
        ("@hookimpl\ndef harness_judges(): return [Spec('{x}:{y}', 'g:A', '')]", "answer to every name"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_said_in_one_line(site: Site, code: str, expected: str) -> None:
    assert re.search(expected, reason(site, code))


def test_a_junk_hook_costs_the_plugin_its_good_ones_too(site: Site) -> None:
    code = """
@hookimpl
def harness_judges(): return [Spec("j", "guest:J", "")]
@hookimpl
def harness_models(): return 3
"""
    assert "harness_models returned" in reason(site, code)


@pytest.mark.parametrize("module", ["", "nowhere", "guest:missing", "not a module"])
def test_an_entry_point_that_names_nothing_is_quarantined(site: Site, module: str) -> None:
    assert reason(site, "", module)


def test_ctrl_c_during_an_import_is_not_swallowed(site: Site) -> None:
    site.module("guest", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        offers(plugin())


def test_an_error_without_a_frame_of_a_plugin_has_no_place() -> None:
    assert explain(ValueError("x")) == "ValueError: x"
