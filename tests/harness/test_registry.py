import subprocess
import sys

import pytest
from distributions import Site

from harness.errors import UsageError
from harness.found import Entry
from harness.interfaces import KINDS
from harness.registry import Broken, Registry, kind_named
from harness.spec import Spec


def entry(name: str, kind: str = "judge", dist: str = "guest", **more: object) -> Entry:
    return Entry(Spec(name, "module:Class", "", **more), kind, dist, "1.0", f"{dist}:main")  # type: ignore[arg-type]


def unknown(registry: Registry, name: str, kind: str = "judge") -> str:
    with pytest.raises(UsageError, match="unknown") as caught:
        registry.find(kind, name)
    return str(caught.value)


# Discovery: real metadata, real imports.


def test_guests_are_found_the_same_way_as_ours(site: Site) -> None:
    site.judge("kind-judges", "kind", version="3.1")
    registry = Registry.discover({})
    found = registry.find("judge", "kind")
    assert found.entry == Entry(
        Spec("kind", "kind_judges:Judge", "a judge of kind-judges"),
        "judge",
        "kind-judges",
        "3.1",
        "kind-judges:judge",
    )
    assert registry.broken == ()
    assert registry.find("judge", "exact").entry.plugin == "vidharness:judges"


def test_a_broken_guest_is_set_aside_and_costs_nobody_else(site: Site) -> None:
    site.distribution("a-broken", {"one": "a_broken"})
    site.module("a_broken", "import not_installed_anywhere")
    site.judge("b-good", "good")
    site.distribution("c-broken", {"one": "c_broken", "two": "c_fine"})
    site.module("c_broken", "from harness import hookimpl\n@hookimpl\ndef harness_judges(): return 3")
    site.module("c_fine", "from harness import hookimpl\n@hookimpl\ndef harness_models(): return []")
    registry = Registry.discover({})
    assert registry.find("judge", "good").name == "good"
    assert registry.find("judge", "exact").name == "exact"
    assert [item.plugin for item in registry.broken] == ["a-broken:one", "c-broken:one"]
    assert "not_installed_anywhere" in registry.broken[0].reason
    assert "harness_judges returned a value of type int" in registry.broken[1].reason


def test_unreadable_metadata_is_listed_with_the_broken(site: Site) -> None:
    site.distribution("bad", "[vidharness]\nnonsense\n")
    assert [item.plugin for item in Registry.discover({}).broken] == ["bad"]


def test_denied_plugins_are_not_imported(site: Site) -> None:
    site.judge("road-fog", "fog-judge")
    registry = Registry.discover({"VIDHARNESS_DENY": "Road.Fog:judge"})
    assert "road_fog" not in sys.modules
    assert registry.denied == ("road-fog:judge",)
    assert registry.broken == ()
    assert "VIDHARNESS_DENY leaves out road-fog:judge" in unknown(registry, "fog-judge")


def test_ours_can_be_denied_too(site: Site) -> None:
    assert all(not Registry.discover({"VIDHARNESS_DENY": "vidharness"}).entries(kind) for kind in KINDS)


def test_the_deny_list_is_read_from_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDHARNESS_DENY", "vidharness:judges")
    assert Registry.discover().denied == ("vidharness:judges",)


def test_a_name_of_two_distributions_must_be_qualified(site: Site) -> None:
    site.judge("fog-b", "shared")
    site.judge("Fog_A", "shared", module="fog_a")
    registry = Registry.discover({})
    with pytest.raises(
        UsageError, match=r"2 plugins offer a judge 'shared': write Fog_A:shared or fog-b:shared"
    ):
        registry.find("judge", "shared")
    assert registry.find("judge", "fog-a:shared").entry.dist == "Fog_A"
    found = registry.find("judge", "fog-b:shared")
    assert (found.entry.dist, found.name) == ("fog-b", "shared")


def test_a_guest_cannot_replace_what_we_ship(site: Site) -> None:
    site.judge("sly", "exact")
    registry = Registry.discover({})
    with pytest.raises(UsageError, match="write vidharness:exact or sly:exact"):
        registry.find("judge", "exact")
    assert registry.find("judge", "vidharness:exact").entry.dist == "vidharness"


def test_the_same_distribution_seen_twice_is_no_clash(site: Site) -> None:
    site.judge("fog", "hazy")
    site.distribution("fog", {"judge": "fog"}, egg=True)
    assert Registry.discover({}).find("judge", "hazy").name == "hazy"


def test_one_distribution_may_not_offer_a_name_twice(site: Site) -> None:
    code = """
    from harness import Spec, hookimpl
    @hookimpl
    def harness_judges(): return [Spec("{own}", "m:C", ""), Spec("same", "m:C", "")]
    """
    site.module("one", code.format(own="first"))
    site.module("two", code.format(own="second"))
    site.distribution("fog", {"a": "one", "b": "two"})
    registry = Registry.discover({})
    assert registry.broken == (Broken("fog:b", "fog", "it offers the judge 'same', as fog:a does"),)
    assert registry.find("judge", "first").name == "first"
    assert "second" not in {item.spec.name for item in registry.entries("judge")}


def test_order_does_not_depend_on_the_order_on_disk(site: Site) -> None:
    for dist in ("m", "z", "a"):
        site.judge(f"guest-{dist}", f"judge-{dist}")
    names = [item.spec.name for item in Registry.discover({}).entries("judge")]
    assert names[0] == "exact"
    assert names[-3:] == ["judge-a", "judge-m", "judge-z"]


def test_discovery_imports_catalogues_only() -> None:
    code = (
        "import sys; from harness.registry import Registry; r = Registry.discover({});"
        "assert not r.broken, r.broken;"
        "heavy = 'torch transformers cv2 openai datasets numpy av numba scipy packaging'.split();"
        "print(*{name.split('.')[0] for name in sys.modules} & set(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# Look-up.


def test_fields_of_a_name_become_options() -> None:
    spec = entry("Set_{sampling}_{pack}", "dataset", options={"size": 3})
    found = Registry([spec]).find("dataset", "Set_8frame_nopack")
    assert found.name == "Set_8frame_nopack"
    assert found.options == {"size": 3, "sampling": "8frame", "pack": "nopack"}


def test_a_literal_name_goes_before_fields_of_the_same_distribution() -> None:
    registry = Registry([entry("openai:{model}"), entry("openai:best", options={"model": "b"})])
    assert registry.find("judge", "openai:best").options == {"model": "b"}
    assert registry.find("judge", "openai:other").options == {"model": "other"}


def test_the_first_of_two_fitting_templates_answers() -> None:
    registry = Registry([entry("a-{one}"), entry("{two}-b")])
    assert registry.find("judge", "a-b").options == {"one": "b"}


def test_another_distribution_may_not_slip_under_a_template() -> None:
    registry = Registry([entry("openai:{model}", dist="vidharness"), entry("openai:best", dist="sly")])
    with pytest.raises(UsageError, match="write sly:openai:best or vidharness:openai:best"):
        registry.find("judge", "openai:best")
    assert registry.find("judge", "vidharness:openai:best").options == {"model": "best"}
    assert registry.find("judge", "sly:openai:best").options == {}


def test_names_with_colons_are_tried_whole_before_a_distribution() -> None:
    registry = Registry([entry("openai:{model}", dist="vidharness"), entry("best", dist="openai")])
    assert registry.find("judge", "openai:best").entry.dist == "vidharness"
    assert registry.find("judge", "openai:openai:best").options == {"model": "openai:best"}


def test_a_distribution_alone_is_no_name() -> None:
    registry = Registry([entry("fog", dist="guest")])
    for name in ("guest", "guest:", ":fog", "other:fog", ""):
        unknown(registry, name)


def test_names_are_looked_up_within_their_kind() -> None:
    registry = Registry([entry("same", "judge"), entry("same", "model", dist="other")])
    assert registry.find("model", "same").entry.dist == "other"
    assert registry.find("judge", "same").entry.dist == "guest"


# What an unknown name is told.


def test_misspelt_names_get_suggestions() -> None:
    registry = Registry(
        [
            entry("gaussian_blur"),
            entry("gaussian"),
            entry("Set_{n}", examples=("Set_8", "Set_16")),
            entry("jpeg"),
        ]
    )
    assert "did you mean gaussian_blur or gaussian?" in unknown(registry, "Gaussian-Blur")
    assert "did you mean gaussian_blur?" in unknown(registry, "blur")
    assert "did you mean Set_8 or Set_16?" in unknown(registry, "set_")
    assert "did you mean jpeg?" in unknown(registry, "guest:jpg")
    assert "did you mean" not in unknown(registry, "qqq")
    assert "`vidharness list judge` shows all" in unknown(registry, "qqq")


def test_quarantined_plugins_are_hinted_at() -> None:
    registry = Registry([], [Broken("fog:main", "fog", "ImportError: x")])
    assert "why fog:main could not be loaded" in unknown(registry, "road-fog")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("judge", "judge"),
        ("Models", "model"),
        ("noise", "corruption"),
        ("noises", "corruption"),
        ("data", "dataset"),
    ],
)
def test_kinds_go_by_the_words_of_the_flags_too(word: str, kind: str) -> None:
    assert kind_named(word) == kind
    assert Registry([entry("x", kind)]).entries(word)


def test_an_unknown_kind_is_told_the_kinds() -> None:
    with pytest.raises(UsageError, match="unknown kind 'poles': the kinds are model, dataset, corruption"):
        Registry([]).find("poles", "x")


def test_labels_are_qualified_where_they_must_be() -> None:
    one, two, three = entry("fog", dist="a"), entry("fog", dist="b"), entry("sun", dist="b")
    registry = Registry([one, two, three])
    assert [registry.label(item) for item in (one, two, three)] == ["a:fog", "b:fog", "sun"]
