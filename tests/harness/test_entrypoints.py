import importlib
import sys
from pathlib import Path

import pytest
from distributions import Site

from harness.entrypoints import canonical, deny_list, installed


def names(environ=None):
    plugins, _ = installed(environ or {})
    return [plugin.name for plugin in plugins]


def test_ours_come_first_and_guests_in_the_order_of_their_names(site: Site) -> None:
    site.distribution("zebra", {"b": "zebra_b", "a": "zebra_a"})
    site.distribution("Aardvark", {"one": "aardvark"})
    found = names()
    assert found[-3:] == ["Aardvark:one", "zebra:a", "zebra:b"]
    assert found[0] == "vidharness:corruptions"
    assert found == names()


def test_metadata_is_read_without_importing_the_module(site: Site) -> None:
    site.distribution("guest", {"fog": "guest_fog:catalogue"}, version="2.5")
    site.module("guest_fog", "raise RuntimeError('imported')")
    plugin = installed({})[0][-1]
    assert (plugin.dist, plugin.version, plugin.entry, plugin.module) == (
        "guest",
        "2.5",
        "fog",
        "guest_fog:catalogue",
    )
    assert "guest_fog" not in sys.modules


@pytest.mark.parametrize("deny", ["Road_Fog", "road-fog:fog", "other, road.fog", "other\troad-fog:fog,"])
def test_the_deny_list_takes_distributions_and_entries_however_they_are_spelt(site: Site, deny: str) -> None:
    site.distribution("road-fog", {"fog": "fog"})
    site.distribution("road-sun", {"fog": "sun"})
    denied = {plugin.name for plugin in installed({"VIDHARNESS_DENY": deny})[0] if plugin.denied}
    assert denied == {"road-fog:fog"}


def test_denying_one_entry_spares_its_siblings(site: Site) -> None:
    site.distribution("road-fog", {"fog": "fog", "rain": "rain"})
    plugins, _ = installed({"VIDHARNESS_DENY": "road-fog:rain"})
    assert [plugin.entry for plugin in plugins if plugin.denied] == ["rain"]


def test_an_empty_deny_list_denies_nothing() -> None:
    assert deny_list({}) == deny_list({"VIDHARNESS_DENY": " , "}) == frozenset()


def test_a_distribution_met_twice_counts_where_it_is_met_first(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.distribution("road-fog", {"fog": "fog"}, version="1.0")
    checkout = Site(tmp_path / "checkout")
    checkout.distribution("road_fog", {"fog": "fog", "new": "new"}, version="2.0", egg=True)
    monkeypatch.syspath_prepend(checkout.path)
    importlib.invalidate_caches()
    found = [plugin for plugin in installed({})[0] if canonical(plugin.dist) == "road-fog"]
    assert [(plugin.entry, plugin.version) for plugin in found] == [("fog", "2.0"), ("new", "2.0")]


def test_a_malformed_file_costs_its_distribution_alone(site: Site) -> None:
    site.distribution("bad", "[vidharness]\nno equals sign\n")
    site.distribution("good", {"fog": "fog"})
    plugins, broken = installed({})
    assert {plugin.dist for plugin in plugins} == {"vidharness", "good"}
    assert [item.dist for item in broken] == ["bad"]
    assert "cannot be read" in broken[0].reason


def test_undecodable_metadata_is_reported_by_the_name_of_its_folder(site: Site) -> None:
    folder = site.distribution("bad", {"fog": "fog"})
    (folder / "entry_points.txt").write_bytes(b"[vidharness]\nfog = \xff\xfe\n")
    _, broken = installed({})
    assert [(item.plugin, "UnicodeDecodeError" in item.reason) for item in broken] == [("bad", True)]


def test_a_distribution_without_a_name_goes_by_its_folder(site: Site) -> None:
    folder = site.distribution("nameless", {"fog": "fog"})
    (folder / "METADATA").write_text("Metadata-Version: 2.1\n")
    assert [(p.dist, p.version) for p in installed({})[0] if p.entry == "fog"] == [("nameless", "unknown")]


def test_other_groups_are_not_ours(site: Site) -> None:
    site.distribution("other", "[console_scripts]\nvidharness-x = other:main\n")
    assert "other" not in {plugin.dist for plugin in installed({})[0]}
