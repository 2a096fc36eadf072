from distributions import Site

from harness.extras import absent, missing


def test_only_the_extras_own_unmet_requirements_are_named(site: Site) -> None:
    site.distribution("present", {}, version="2.0")
    site.distribution(
        "guest",
        {},
        requires=[
            "core-thing>=1",
            'present>=1; extra == "gpu"',
            'absent>=3.1; extra == "gpu"',
            'elsewhere; extra == "other"',
            'windows-thing; extra == "gpu" and sys_platform == "no-such-system"',
        ],
        extras=["gpu", "other"],
    )
    assert missing("guest", "gpu") == ["absent>=3.1"]
    assert missing("guest", "other") == ["elsewhere"]


def test_a_version_out_of_range_is_missing_and_says_what_is_there(site: Site) -> None:
    site.distribution("present", {}, version="2.0")
    site.distribution("guest", {}, requires=['present>=3; extra == "gpu"'], extras=["gpu"])
    assert missing("guest", "gpu") == ["present>=3 (installed: 2.0)"]


def test_a_pre_release_in_range_will_do(site: Site) -> None:
    site.distribution("present", {}, version="3.1.0a0")
    site.distribution("guest", {}, requires=['present>=3; extra == "gpu"'], extras=["gpu"])
    assert missing("guest", "gpu") == []


def test_extras_that_name_each_other_are_followed_once(site: Site) -> None:
    site.distribution(
        "Guest_X",
        {},
        requires=[
            'guest-x[one]; extra == "both"',
            'guest-x[both,two]; extra == "one"',
            'absent-a; extra == "one"',
            'absent-b; extra == "two"',
        ],
        extras=["both", "one", "two"],
    )
    assert missing("guest.x", "both") == ["absent-a", "absent-b"]


def test_an_unknown_extra_or_distribution_misses_nothing(site: Site) -> None:
    site.distribution("guest", {}, requires=['absent; extra == "gpu"'], extras=["gpu"])
    assert missing("guest", "typo") == []
    assert missing("never-installed", "gpu") == []


def test_for_lists_presence_is_enough(site: Site) -> None:
    site.distribution("present", {}, version="2.0")
    site.distribution(
        "guest",
        {},
        requires=[
            "core-thing>=1",
            "present>=1; extra == 'old'",
            'present >=3 ; extra == "new-er"',
            'present>=1; extra == "gone"',
            'gone; extra == "gone"',
        ],
    )
    assert not absent("guest", "old")
    assert not absent("guest", "New_er")
    assert absent("guest", "gone")
    assert not absent("guest", "typo")
    assert not absent("never-installed", "old")


def test_for_lists_complicated_requirements_are_evaluated(site: Site) -> None:
    site.distribution(
        "guest",
        {},
        requires=[
            'nothing; extra == "gpu" and sys_platform == "no-such-system"',
            'guest[deep]; extra == "both"',
            'nothing; extra == "deep"',
        ],
    )
    assert not absent("guest", "gpu")
    assert absent("guest", "both")
