"""Words in scripts with and without spaces."""

from harness_plugins.judges.words import plain, spaced


def test_words_are_those_of_exact() -> None:
    assert plain("The red car!") == "red car"
    assert plain("two cars") == "2 cars"


def test_characters_of_scripts_without_spaces_are_words() -> None:
    assert plain("红色的车。") == "红 色 的 车"
    assert plain("赤いcar") == "赤 い car"
    assert spaced("빨간 차") == "빨간 차"
