"""The poolings vidharness ships: a light catalogue, nothing heavy is imported here."""

from harness import Spec, hookimpl

_HERE = "harness_plugins.poolings.averages"


@hookimpl
def harness_poolings() -> list[Spec]:
    return [
        Spec("weighted_average", f"{_HERE}:WeightedAverage", "weights rise from .1 to 1 in equal steps"),
        Spec(
            "weighted_average_exponential",
            f"{_HERE}:WeightedAverageExponential",
            "each frame counts .85 times the next",
        ),
        Spec("weighted_average_ramp", f"{_HERE}:WeightedAverageRamp", "weights rise with the square"),
        Spec(
            "blend_blur_with_last_frame",
            f"{_HERE}:BlendBlurWithLastFrame",
            ".7 of the exponential average, .3 of the last frame",
        ),
        Spec("mean", f"{_HERE}:Mean", "all frames count alike"),
        Spec("last", f"{_HERE}:Last", "the last frame alone"),
    ]
