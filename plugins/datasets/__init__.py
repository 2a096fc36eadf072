"""The data sets vidharness ships: a light catalogue, nothing heavy is imported here."""

from harness import Spec, hookimpl


@hookimpl
def harness_datasets() -> list[Spec]:
    return [
        Spec(
            "ShapesVideo_{sampling}_{packing}",
            "harness_plugins.datasets.shapes:ShapesVideo",
            "moving coloured shapes with one-word answers, generated on first use; needs no download",
            examples=("ShapesVideo_8frame_nopack",),
        ),
        Spec(
            "MMBench_Video_{sampling}_nopack",
            "harness_plugins.datasets.mmbench_video:MMBenchVideo",
            "1,998 open questions about 609 videos, one per call",
            examples=("MMBench_Video_8frame_nopack", "MMBench_Video_1fps_nopack"),
        ),
        Spec(
            "MMBench_Video_{sampling}_pack",
            "harness_plugins.datasets.mmbench_video:PackedMMBenchVideo",
            "the same questions, all those about one video in one call",
            examples=("MMBench_Video_8frame_pack",),
        ),
    ]
