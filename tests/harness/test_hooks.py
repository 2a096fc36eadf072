import pytest

from harness import hooks
from harness.interfaces import KINDS


def test_each_kind_has_one_documented_hook() -> None:
    named = {name: hook for name, hook in vars(hooks).items() if name.startswith("harness_")}
    assert list(named) == [f"harness_{kind}s" for kind in KINDS]
    for kind, hook in zip(KINDS, named.values(), strict=True):
        assert KINDS[kind].__name__ in hook.__doc__
        assert hasattr(hook, f"{hooks.PROJECT}_spec")
        with pytest.raises(NotImplementedError):
            hook()
