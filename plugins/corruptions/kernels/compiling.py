"""How kernels are compiled: by numba, without the GIL, the machine code kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """``function`` compiled at its first call, then loaded from the folder numba keeps code in.

    Floating-point arithmetic stays as written (no fastmath, so no reordering and no fused
    multiply-add): the bytes are the same on every machine. Where no folder can be written,
    the code is compiled again in every process.
    """
    try:
        return cast(Function, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # numba found no place for its cache
        return cast(Function, numba.njit(nogil=True)(function))
