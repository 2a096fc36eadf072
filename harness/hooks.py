"""The hooks a plugin may implement, one per kind; each returns the specs it offers.

A plugin is any module named by an entry point of the group ``vidharness``; ours are found the same
way as everybody else's.
"""

from __future__ import annotations

import pluggy

from harness.spec import Spec

PROJECT = "harness"
ENTRY_POINT_GROUP = "vidharness"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def harness_models() -> list[Spec]:
    """Models: classes after :class:`harness.interfaces.Model`."""
    raise NotImplementedError


@hookspec
def harness_datasets() -> list[Spec]:
    """Data sets: classes after :class:`harness.interfaces.Dataset`."""
    raise NotImplementedError


@hookspec
def harness_corruptions() -> list[Spec]:
    """Noises: classes after :class:`harness.interfaces.Corruption`."""
    raise NotImplementedError


@hookspec
def harness_poolings() -> list[Spec]:
    """Poolings of frames: classes after :class:`harness.interfaces.Pooling`."""
    raise NotImplementedError


@hookspec
def harness_judges() -> list[Spec]:
    """Judges of answers: classes after :class:`harness.interfaces.Judge`."""
    raise NotImplementedError


@hookspec
def harness_trainers() -> list[Spec]:
    """Trainers: classes after :class:`harness.interfaces.Trainer`."""
    raise NotImplementedError
