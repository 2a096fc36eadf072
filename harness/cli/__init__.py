"""The command line: one verb per module, and the one place where errors become exit codes.

0: complete. 1: incomplete, what was computed is kept. 2: the command cannot run as typed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from harness.cli.flags import parse
from harness.errors import HarnessError, UsageError

_GRACE = 5.0
"""Seconds other ranks leave the first one to say what is wrong before torchrun ends them all."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code; prints at most one sentence for an error."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # whoever started us has closed it
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123
    try:
        args = parse(words)
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except HarnessError as error:
        if debug:
            raise
        return _end(str(error), error.exit_code, everywhere=isinstance(error, UsageError))
    except KeyboardInterrupt:
        if debug:
            raise
        if os.environ.get("RANK", "0") != "0":
            return 1  # the first one has been told, too, and there is no time to lose
        return _end("interrupted; run the same command again to go on", 1, everywhere=False)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if debug:
            raise
        where = f" ({error.filename})" if error.filename else ""
        return _end(
            f"the system says: {error.strerror or error}{where}; what is stored is kept: "
            "mend that and run the same command again",
            1,
            everywhere=False,
        )
    except Exception as error:
        if debug:
            raise
        lines = str(error).splitlines() or [""]
        cause = f"{type(error).__name__}: {lines[0]}"
        return _end(f"unexpected {cause} (a bug: run again with --debug to see where)", 1, everywhere=False)


def _end(sentence: str, code: int, everywhere: bool) -> int:
    """Print the error; ``everywhere``: all ranks meet it alike, so only the first one speaks."""
    from harness.runlog import without_keys

    rank = int(os.environ.get("RANK", "0") or 0)
    if rank and everywhere:
        time.sleep(_GRACE)
        return code
    place = f"vidharness (rank {rank})" if rank else "vidharness"
    print(f"{place}: {without_keys(sentence)}", file=sys.stderr, flush=True)
    return code
