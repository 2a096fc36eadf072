import enum
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from distributions import Site

from harness.errors import UsageError
from harness.found import Built, Entry, Found, members, missing_requirements
from harness.interfaces import KINDS
from harness.sampling import Sampling
from harness.spec import Spec

CODE = """
from __future__ import annotations
from pathlib import Path
from harness import Sampling, UsageError

class Judge:
    version = 4
    transport = frozenset({"timeout"})
    def __init__(self, model: str = "m", ratio: float = 0.5, timeout: float = 9.0,
                 sampling: Sampling | None = None, folder: Path | None = None):
        if ratio > 1:
            raise ValueError("ratio lies in 0..1")
        if model == "forbidden":
            raise UsageError("that model is gone: take another")
        if model == "lazy":
            import not_installed_anywhere
        self.seen = (model, ratio, timeout, sampling, folder)
    def judge(self, cases): return []
    def identity(self): return {"weights": ("ab", Path("x"))}

class Half:
    version = 1

class Tabled(Judge):
    transport = frozenset({"folder"})
    @property
    def short_name(self): return f"{self.seen[4].name}_x"

class Odd:
    version = 1
    def __init__(self, thing=object): self.thing = thing
    def judge(self, cases): return []

a_function = print
"""


@pytest.fixture
def find(site: Site) -> Callable[..., Found]:
    site.module("guest", CODE)

    def make(
        target: str = "guest:Judge", name: str = "fog", typed: str | None = None, **more: object
    ) -> Found:
        spec = Spec(name, target, "", **more)  # type: ignore[arg-type]
        options = {**spec.options, **(spec.match(typed or name) or {})}
        return Found(Entry(spec, "judge", "guest-dist", "1.0", "guest-dist:main"), typed or name, options)

    return make


def usage(call: Callable[[], object]) -> str:
    with pytest.raises(UsageError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_text_and_objects_become_the_options_of_the_class(find: Callable[..., Found]) -> None:
    built = find().build({"ratio": "0.25", "sampling": Sampling(nframe=2), "folder": "a"})
    assert built.plugin.seen == ("m", 0.25, 9.0, Sampling(nframe=2), Path("a"))
    assert built.options == {
        "model": "m",
        "ratio": 0.25,
        "timeout": 9.0,
        "sampling": {"nframe": 2},
        "folder": "a",
    }
    assert (built.name, built.entry.dist) == ("fog", "guest-dist")


def test_identity_holds_what_shapes_the_output_and_is_plain_data(find: Callable[..., Found]) -> None:
    slow, fast = (find().build({"timeout": value}).identity() for value in ("1", "2"))
    assert slow == fast
    assert slow == {
        "name": "fog",
        "dist": "guest-dist",
        "version": 4,
        "options": {"model": "m", "ratio": 0.5, "sampling": None, "folder": None},
        "weights": ["ab", "x"],
    }
    assert json.loads(json.dumps(slow)) == slow
    assert find().build({"ratio": "0.75"}).identity() != slow


def test_a_plugin_without_version_or_identity_has_version_one() -> None:
    entry = Entry(Spec("m", "a:B", ""), "model", "Guest_Dist", "1", "g:m")
    assert Built("m", object(), {}, entry).identity() == {
        "name": "m",
        "dist": "guest-dist",
        "version": 1,
        "options": {},
    }


def test_the_name_sets_options(find: Callable[..., Found]) -> None:
    built = find(name="openai:{model}", typed="openai:gpt-4o", options={"ratio": 0.1}).build({})
    assert built.plugin.seen[:2] == ("gpt-4o", 0.1)
    assert built.name == "openai:gpt-4o"


def test_what_the_name_fixes_cannot_be_changed_by_an_option(find: Callable[..., Found]) -> None:
    fixed = find(options={"ratio": 0.5})
    assert usage(lambda: fixed.build({"ratio": "0.6"})) == (
        "judge 'fog' fixes ratio=0.5: leave ratio out or choose another name"
    )
    assert fixed.build({"ratio": ".50"}).plugin.seen[1] == 0.5


def test_an_option_read_from_the_name_may_be_changed_and_changes_the_name(find: Callable[..., Found]) -> None:
    found = find(name="s_{sampling}_{model}", typed="s_8frame_x")
    assert found.build({}).name == "s_8frame_x"
    built = found.build({"sampling": Sampling(fps=1)})
    assert (built.name, built.plugin.seen[3]) == ("s_1fps_x", Sampling(fps=1))


def test_names_stay_as_they_were_typed(find: Callable[..., Found]) -> None:
    assert find(name="r_{ratio}", typed="r_0.50").build({}).name == "r_0.50"


def test_bad_options_name_the_plugin(find: Callable[..., Found]) -> None:
    assert usage(lambda: find().build({"ratoi": "1"})).startswith(
        "judge 'fog' has no option ratoi: did you mean ratio?"
    )
    assert (
        usage(lambda: find().build({"ratio": "x"}))
        == "option ratio of judge 'fog' cannot be 'x': give a number"
    )


def test_a_class_that_refuses_its_options_is_quoted_with_the_place(find: Callable[..., Found]) -> None:
    text = usage(lambda: find().build({"ratio": "3"}))
    assert (
        "judge 'fog' of plugin guest-dist:main cannot be made with ratio=3: ValueError: ratio lies in 0..1"
        in text
    )
    assert f"guest.py:{CODE[: CODE.index('raise ValueError')].count(chr(10)) + 1})" in text


def test_a_plugins_own_usage_error_is_passed_on(find: Callable[..., Found]) -> None:
    assert usage(lambda: find().build({"model": "forbidden"})) == "that model is gone: take another"


def test_a_missing_extra_says_what_to_install(site: Site, find: Callable[..., Found]) -> None:
    site.distribution("guest-dist", {}, requires=['absent>=2; extra == "gpu"'], extras=["gpu"])
    site.module("heavy", "import not_installed_anywhere")
    found = find("heavy:Judge", extra="gpu")
    assert missing_requirements(found.entry) == ["absent>=2"]
    expected = "judge 'fog' needs absent>=2: pip install 'guest-dist[gpu]'"
    assert usage(found.load).startswith(expected)
    assert usage(lambda: find(extra="gpu").build({"model": "lazy"})).startswith(expected)
    assert missing_requirements(find().entry) == []


def test_an_import_that_fails_for_another_reason_is_not_blamed_on_an_extra(
    site: Site, find: Callable[..., Found]
) -> None:
    site.distribution("guest-dist", {}, requires=['pytest; extra == "gpu"'], extras=["gpu"])
    site.module("heavy", "\nimport not_installed_anywhere")
    text = usage(find("heavy:Judge", extra="gpu").load)
    assert "pip install" not in text
    assert "judge 'fog' of plugin guest-dist:main cannot be imported: ModuleNotFoundError" in text
    assert "heavy.py:2)" in text


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("guest:Missing", "AttributeError"),
        ("nowhere:Judge", "ModuleNotFoundError"),
        ("exits:Judge", "SystemExit: 2"),
        ("guest:a_function", "guest:a_function is no class"),
    ],
)
def test_targets_that_are_no_class(
    site: Site, find: Callable[..., Found], target: str, expected: str
) -> None:
    site.module("exits", "raise SystemExit(2)")
    assert expected in usage(find(target).load)


def test_a_usage_error_during_import_is_passed_on(site: Site, find: Callable[..., Found]) -> None:
    site.module("picky", "from harness import UsageError\nraise UsageError('not on Tuesdays')")
    assert usage(find("picky:Judge").load) == "not on Tuesdays"


def test_a_class_of_another_kind_is_told_what_it_lacks(find: Callable[..., Found]) -> None:
    assert "guest:Half lacks judge, which a judge must have" in usage(lambda: find("guest:Half").build({}))


def test_options_that_cannot_be_recorded_are_refused(find: Callable[..., Found]) -> None:
    assert "has no JSON form" in usage(lambda: find("guest:Odd").build({}))


def test_nothing_is_imported_before_it_is_used(find: Callable[..., Found]) -> None:
    found = find()
    assert "guest" not in sys.modules
    assert found.load().__name__ == "Judge"


def test_members_of_the_kinds() -> None:
    assert members(KINDS["corruption"]) == ["version", "apply"]
    assert members(KINDS["dataset"]) == ["sampling", "samples", "prompt"]
    assert members(enum.Enum) == []


def test_a_plugin_may_have_a_shorter_name_than_what_was_typed(find: Callable[..., Found]) -> None:
    """A path is typed; files and fingerprints hold what the plugin calls itself."""
    here, there = (
        find("guest:Tabled", "{folder}.tsv", typed).build({}) for typed in ("a/b.tsv", "/home/me/b.tsv")
    )
    assert here.name == "b_x"
    assert here.identity() == there.identity()
