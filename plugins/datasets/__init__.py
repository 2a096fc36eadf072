"""The data sets vidharness ships: a light catalogue, nothing heavy is imported here."""

from harness import Spec, hookimpl

_VIDEO_MME = "harness_plugins.datasets.video_mme:VideoMME"
_LONG_VIDEO_BENCH = "harness_plugins.datasets.longvideobench:LongVideoBench"
_ABOUT = {
    "tsv": "your own questions about your own videos, open or multiple-choice: docs/datasets.md",
    "csv": "the same, with commas",
    "jsonl": "the same, a JSON object per line",
    "parquet": "the same, as Parquet",
}
_OWN = [
    Spec(
        f"{{path}}.{form}",
        "harness_plugins.datasets.own_table:OwnTable",
        _ABOUT[form],
        extra="tables" if form == "parquet" else None,
        options={"form": form},
        examples=(f"path/to/questions.{form}",),
    )
    for form in _ABOUT
]


@hookimpl
def harness_datasets() -> list[Spec]:
    return [
        # Before all others: such a path means the file, whatever its name begins with.
        *_OWN,
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
        # Before the names without, which would take the end for a frame setting.
        Spec(
            "Video-MME_{sampling}_subs",
            _VIDEO_MME,
            "the same as Video-MME, with what is said at the moments shown",
            extra="tables",
            options={"subtitles": "subs"},
            examples=("Video-MME_8frame_subs",),
        ),
        Spec(
            "Video-MME_{sampling}",
            _VIDEO_MME,
            "2,700 questions with four options about 900 videos of up to an hour",
            extra="tables",
            examples=("Video-MME_8frame",),
        ),
        Spec(
            "MVBench_{sampling}",
            "harness_plugins.datasets.mvbench:MVBench",
            "20 multiple-choice tasks about short videos, 4,000 questions",
            examples=("MVBench_8frame",),
        ),
        Spec(
            "TempCompass_{sampling}",
            "harness_plugins.datasets.tempcompass:TempCompass",
            "action, direction, speed, order and change in 410 short videos",
            extra="tables",
            examples=("TempCompass_8frame",),
        ),
        Spec(
            "LongVideoBench_{sampling}_subs",
            _LONG_VIDEO_BENCH,
            "the same as LongVideoBench, with what is said at the moments shown",
            options={"subtitles": "subs"},
            examples=("LongVideoBench_64frame_subs",),
        ),
        Spec(
            "LongVideoBench_{sampling}",
            _LONG_VIDEO_BENCH,
            "multiple-choice questions about videos of up to an hour (validation set)",
            examples=("LongVideoBench_64frame",),
        ),
        Spec(
            "MLVU_{sampling}",
            "harness_plugins.datasets.mlvu:MLVU",
            "seven multiple-choice and two open tasks about videos of 3 minutes to 2 hours",
            examples=("MLVU_32frame",),
        ),
    ]
