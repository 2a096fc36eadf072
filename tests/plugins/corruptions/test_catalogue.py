import subprocess
import sys
from importlib import import_module


def test_the_catalogue_imports_nothing_heavy():
    code = (
        "import sys; from harness_plugins.corruptions import harness_corruptions; harness_corruptions();"
        "print([m for m in ('numpy', 'cv2', 'numba', 'scipy', 'torch', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_category_is_a_module():
    from harness_plugins.corruptions import harness_corruptions

    categories = ("quality", "blur", "compression", "occlusion", "temporal", "lighting", "scene", "digital")
    categories += ("extended",)
    specs = harness_corruptions()
    assert len({spec.name for spec in specs}) == len(specs)
    for spec in specs:
        module = spec.target.partition(":")[0]
        assert module.rpartition(".")[2] in categories
        assert import_module(module).__doc__.startswith("Noises of the category ")
