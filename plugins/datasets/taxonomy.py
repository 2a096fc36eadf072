"""How dimensions roll up: MMBench-Video's, shared by every data set labelled with them, and any other.

Names and order of MMBench-Video's are those of the data set card (opencompass/MMBench-Video) and of the
keys in its rating files.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness import Taxonomy

ALL = "Overall"

MMBENCH_VIDEO = Taxonomy(
    coarse={
        "CP": ("Video Topic", "Video Emotion", "Video Scene", "Video Style"),
        "FP-S": (
            "OCR",
            "Object Recognition",
            "Attribute Recognition",
            "Event Recognition",
            "Human Motion",
            "Counting",
        ),
        "FP-C": ("Spatial Relationship", "Human-object Interaction", "Human Interaction"),
        "HL": ("Hallucination",),
        "LR": ("Structuralized Image-Text Understanding", "Mathematical Calculation"),
        "AR": ("Physical Property", "Function Reasoning", "Identity Reasoning"),
        "RR": ("Natural Relation", "Physical Relation", "Social Relation"),
        "CSR": ("Common Sense Reasoning",),
        "TR": ("Counterfactual Reasoning", "Causal Reasoning", "Future Prediction"),
    },
    rollups={
        "Perception": ("CP", "FP-C", "FP-S", "HL"),
        "Reasoning": ("LR", "AR", "RR", "CSR", "TR"),
        "Overall": ("CP", "FP-S", "FP-C", "HL", "LR", "AR", "RR", "CSR", "TR"),
    },
)


def grouped(pairs: Iterable[tuple[str, str]]) -> Taxonomy:
    """The taxonomy of (coarse group, label) pairs, both in the order they first come, and Overall."""
    coarse: dict[str, dict[str, None]] = {}
    for group, label in pairs:
        coarse.setdefault(group, {})[label] = None
    return Taxonomy({group: tuple(labels) for group, labels in coarse.items()}, {ALL: tuple(coarse)})
