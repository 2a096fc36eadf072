"""``vidharness run``, as a script that torchrun can start on any number of GPUs."""

import sys

from harness.cli import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
