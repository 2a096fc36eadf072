import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Spec


def spec(name: str) -> Spec:
    return Spec(name, "module:Class", "summary")


@pytest.mark.parametrize(
    ("template", "name", "fields"),
    [
        ("exact", "exact", {}),
        ("exact", "Exact", None),
        ("exact", "exactly", None),
        ("gpt-4.1", "gpt-4x1", None),
        ("openai:{model}", "openai:gpt-4o", {"model": "gpt-4o"}),
        ("openai:{model}", "openai:a/b:c", {"model": "a/b:c"}),
        ("openai:{model}", "openai:", None),
        ("S_{frames}_{pack}", "S_8frame_no_pack", {"frames": "8frame", "pack": "no_pack"}),
        ("S_{frames}_nopack", "S_8frame_pack", None),
        ("{a}(x)", "1(x)", {"a": "1"}),
    ],
)
def test_names_are_matched_whole_and_literally(
    template: str, name: str, fields: dict[str, str] | None
) -> None:
    assert spec(template).match(name) == fields
    if fields is not None:
        assert spec(template).render(**fields) == name


@given(st.text("abc_.:/-", min_size=1), st.text("xyz(+", min_size=1))
def test_what_is_rendered_is_matched(one: str, two: str) -> None:
    template = spec("S {one} & {two}")
    assert template.fields == ("one", "two")
    assert template.match(template.render(one=one, two=two)) == {"one": one, "two": two}


@pytest.mark.parametrize("target", ["module", "module:", ":Class", "module.Class", "a b:C", "m:C.inner"])
def test_a_target_names_a_module_and_a_class(target: str) -> None:
    with pytest.raises(ValueError, match="must read 'module:Class'"):
        Spec("x", target, "")


@pytest.mark.parametrize("name", ["", " x", "x\n"])
def test_names_are_neither_empty_nor_padded(name: str) -> None:
    with pytest.raises(ValueError, match="empty or padded"):
        spec(name)
