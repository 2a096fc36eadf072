"""Two judges side by side: only answers that both have scored are compared, and the rest is counted."""

from pathlib import Path

from harness import Rating, Sample, Status, Verdict, Video
from harness.answered import Answered, Opinion
from harness.rejudging import Rejudged, compare

EMPTY = Rating({}, {}, {}, {})


def test_what_one_judge_alone_has_scored_is_counted() -> None:
    samples = tuple(Sample(place, Video(Path("v"), f"v{place}"), "q", "a") for place in range(6))
    failed = Verdict(status=Status.UNPARSED)
    new = [Verdict(3.0), Verdict(0.0), Verdict(2.0), failed, failed, Verdict(1.0)]
    old = [Verdict(3.0), Verdict(3.0), failed, Verdict(1.0), failed]
    done = Rejudged(Answered("t", {}, samples, {}), dict(enumerate(new)), 0, EMPTY, Path("r"))
    found = compare(done, Opinion("old", None, dict(enumerate(old))))
    assert (found.other, found.agreement.count, found.only_new, found.only_other) == ("old", 2, 2, 1)
    assert found.agreement.confusion[0][3] == found.agreement.confusion[3][3] == 1
