"""The plugins vidharness ships, installed as the package ``harness_plugins``.

From the repository root the same files could also be imported as ``plugins.*``, which would load
every class twice; this guard turns that mistake into an error.
"""

if __name__ != "harness_plugins":
    raise ImportError(f"import this package as 'harness_plugins', not {__name__!r}")
