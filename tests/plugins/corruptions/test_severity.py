import pytest
from harness_plugins.corruptions.severity import at_severity

from harness import UsageError
from harness.options import convert


def test_severity_picks_from_the_table():
    assert [at_severity(s, "abcde", "default") for s in (1, 5, None)] == ["a", "e", "default"]


@pytest.mark.parametrize("severity", [0, 6, -1, 2.5, True, "3"])
def test_anything_else_is_a_usage_error(severity):
    with pytest.raises(UsageError, match="1, 2, 3, 4 or 5"):
        at_severity(severity, "abcde", "default")


def test_severity_can_be_typed(graded, build):
    cls = type(build(graded))
    assert convert(cls, {"severity": "3"}, graded)["severity"] == 3
    with pytest.raises(UsageError, match="severity"):
        convert(cls, {"severity": "6"}, graded)
    with pytest.raises(UsageError, match="severity"):
        build(graded, severity=6)
