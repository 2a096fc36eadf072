"""The trainers vidharness ships: a light catalogue, nothing heavy is imported here."""

from harness import Spec, hookimpl


@hookimpl
def harness_trainers() -> list[Spec]:
    return [
        Spec(
            "sft",
            "harness_plugins.trainers.sft:SFT",
            "supervised fine-tuning of all weights, on one GPU or the CPU",
            extra="hf",
        )
    ]
