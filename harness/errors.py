"""The errors a user may meet, and the exit code each one stands for.

Anything raised from here is printed as its one sentence, without a traceback. Everything else that
reaches the command line is a bug of ours or of a plugin and says so.
"""

from __future__ import annotations


class HarnessError(Exception):
    """An error whose message is one clear sentence that says what to type next."""

    exit_code = 1


class UsageError(HarnessError):
    """The command cannot run as typed: unknown name, bad value, missing key, extra or data."""

    exit_code = 2


class DecodeError(HarnessError):
    """One video cannot be decoded. Costs the samples of that video, never the run."""


class CacheError(HarnessError):
    """A cache file is foreign, damaged or not writable."""


class IncompleteError(HarnessError):
    """The run ended with samples unanswered or unscored; what was computed is kept."""
