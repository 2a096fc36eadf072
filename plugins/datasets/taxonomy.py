"""MMBench-Video's dimensions, shared by every data set whose questions are labelled with them.

Names and order are those of the data set card (opencompass/MMBench-Video) and of the keys in its
rating files.
"""

from __future__ import annotations

from harness import Taxonomy

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
