import numba
from harness_plugins.corruptions.kernels import compiling


def test_without_a_folder_for_machine_code_it_still_compiles(monkeypatch):
    asked = []

    def njit(**options):
        def decorate(function):
            asked.append(options)
            if options.get("cache"):
                raise RuntimeError("cannot cache function: no locator available")
            return function

        return decorate

    monkeypatch.setattr(numba, "njit", njit)

    def double(value):
        return 2 * value

    assert compiling.compiled(double)(4) == 8
    assert asked == [{"nogil": True, "cache": True}, {"nogil": True}]
