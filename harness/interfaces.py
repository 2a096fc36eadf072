"""What each kind of plugin must be able to do. Protocols: nobody has to inherit from anything.

Options of a plugin are the typed keyword arguments of its ``__init__``, which users set as
``key=value``. Constructing a plugin must be cheap: import heavy packages inside ``load`` or the
method that needs them.

Every plugin may also define (all optional):

- ``version: int``, changed when the same input would give other output;
- ``transport: frozenset[str]``, names of options that cannot change any output (time-outs,
  concurrency, device): they are left out of the fingerprint that decides which answers are reused;
- ``identity() -> Mapping[str, Any]``, more JSON values that belong in that fingerprint (a digest
  of the weights, say);
- ``check() -> None``, raising :class:`harness.errors.UsageError` for whatever can be found out
  cheaply before a run: a missing key, file or folder;
- ``load() -> None``, called once before the first use, where the expensive start belongs;
- ``short_name: str``, what files and tables call it where what users type would not do, such as a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.sampling import Sampling
    from harness.seeds import Draws
    from harness.types import Answer, Case, Clip, Frame, Frames, Prompt, Sample, SampleId, Verdict


@runtime_checkable
class Model(Protocol):
    """A video-language model.

    May declare ``max_batch: int`` (prompts it takes in one call at most; default 1) or
    ``concurrency: int`` (calls the harness may have under way at once, each with one prompt, from
    as many threads; default 1). An endpoint model also sets ``endpoint = True``: it runs in one
    process only. One that asks through a :class:`harness.endpoint.Endpoint` holds it as ``server``: its
    calls are then paced by the server's replies, with ``concurrency`` as the most there may be, and
    counted for ``--max_calls`` and ``--max_cost``.

    How many prompts a call has, up to ``max_batch``, is for ``--batch_size`` to say, and for the memory
    there is. Those of a call have frames of one number and size where enough such prompts are at hand,
    but not always. An answer must not depend on what else is in its call.

    May define ``prepare(prompts: Sequence[Prompt]) -> Sequence[Any]``: for each prompt what ``generate``
    takes in its place, say pixels resized and text tokenized; ``generate`` takes plain prompts as well, and
    a mixture. The harness calls it ahead of ``generate``, from several threads at once, maybe before
    ``load``, with prompts about one video, which share its clip; a model with ``concurrency`` or ``server``
    is not asked to. It then lets go of the frames: a value should not refer to them, and says with
    ``nbytes: int`` what it holds, which counts within ``--prefetch_bytes`` in their place. What several
    values share, one of them counts; one without ``nbytes`` counts as if it held the frames. Where
    ``prepare`` raises anything but HarnessError, ``generate`` gets those prompts as they are.
    """

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        """One answer per prompt, in order, each given up as soon as it is known.

        A prompt that fails is an ``Answer`` with its status. What is raised stops the call: answers
        given so far are kept, and the other prompts asked again in halves, down to one, which fails
        with what it raises. Exceptions on several single prompts in a row end the run, except for lack
        of memory (MemoryError, torch's OutOfMemoryError, or an error that says so), after which calls
        have fewer prompts. Raise HarnessError when no further prompt could succeed.
        """
        ...


@runtime_checkable
class Trainable(Model, Protocol):
    """A model whose weights a trainer may change; PyTorch behind it."""

    def module(self) -> Any:
        """The ``torch.nn.Module``, whose forward takes what ``encode`` gives and returns a loss."""
        ...

    def encode(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Mapping[str, Any]:
        """Tensors for one training step; labels cover the answers alone."""
        ...

    def save(self, folder: Path) -> None:
        """Write weights, tokenizer and configuration so that the model loads from ``folder``."""
        ...


@runtime_checkable
class Dataset(Protocol):
    """Questions about videos.

    May declare ``taxonomy: Taxonomy`` (how labels roll up; without one every label is a group of
    its own) and ``rate(verdicts: Mapping[SampleId, Verdict]) -> Rating`` to replace the default.
    Takes ``data_root: Path | None`` and ``sampling: Sampling`` as options where they make sense.
    """

    sampling: Sampling

    def samples(self) -> Sequence[Sample]:
        """All samples in a fixed order. Raises UsageError when the data is missing or malformed."""
        ...

    def prompt(self, sample: Sample, clip: Clip) -> Prompt:
        """The question as a model sees it."""
        ...


@runtime_checkable
class Packed(Dataset, Protocol):
    """A data set that asks several questions in one call."""

    def groups(self) -> Sequence[Sequence[Sample]]:
        """The samples, those of one call together; all of a group share one video."""
        ...

    def pack(self, samples: Sequence[Sample], clip: Clip) -> Prompt:
        """One prompt with all the questions of a group."""
        ...

    def unpack(self, samples: Sequence[Sample], text: str) -> Mapping[SampleId, str]:
        """The answers found in a reply; a question without one is left out."""
        ...


@runtime_checkable
class Corruption(Protocol):
    """A noise.

    One that takes frames from another video declares ``needs_donor = True``; its ``apply`` is then
    called with a fourth argument, ``donor: Clip | None``: another video of the data set, sampled alike,
    whose ``notes["donor"]`` is its key, or None where there is no other video that can be decoded.
    """

    version: int

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        """A new clip whose frames ``hit`` are corrupted; the input is never modified.

        hit: int64 [n], n >= 1, the frames to corrupt, in the order of the permutation they were
        chosen by. All other frames, and the shape and dtype, stay as they are.
        """
        ...


@runtime_checkable
class Pooling(Protocol):
    """Turns the frames of a short window into one image."""

    version: int
    window: float
    """Length of the window in seconds, ending at the sampled moment."""

    def pool(self, frames: Frames, times: npt.NDArray[np.float64]) -> Frame:
        """uint8 [n, H, W, 3] and their times in seconds, oldest first, n >= 1 -> uint8 [H, W, 3]."""
        ...


@runtime_checkable
class Judge(Protocol):
    """Scores answers on the 0..3 scale. May declare ``concurrency`` and ``server`` like a model.

    May define ``summary(verdicts: Sequence[Verdict]) -> Mapping[str, Any]``: JSON values on how a whole
    run was judged, which go into the rating's ``meta`` as ``judging``.
    """

    version: int

    def judge(self, cases: Sequence[Case]) -> Iterable[Verdict]:
        """One verdict per case, in order. A case that cannot be scored is a verdict's status."""
        ...


@runtime_checkable
class Panel(Judge, Protocol):
    """A judge that has others judge. Its options that it does not take itself are for its members."""

    judges: Sequence[str]
    """Their names, as for ``--judge``."""
    repeats: int
    """How often each one is asked about an answer."""
    members: Sequence[Any]
    """The judges of those names, in that order; set by the harness, each with ``name``, ``plugin`` and
    ``identity()``."""

    def combine(self, verdicts: Sequence[Verdict]) -> Verdict:
        """One verdict of those on one answer: the first member's, one per repeat, then the next one's."""
        ...


@runtime_checkable
class Trainer(Protocol):
    """Trains a model on a data set."""

    def train(self, model: Model, dataset: Dataset, clips: Callable[[Sample], Clip], out: Path) -> Path:
        """Train and return the folder that holds the result, ``out`` or below it.

        ``clips`` decodes a sample's video with the data set's frame sampling. Raises UsageError
        when the model is not :class:`Trainable`.
        """
        ...


KINDS: Mapping[str, type] = {
    "model": Model,
    "dataset": Dataset,
    "corruption": Corruption,
    "pooling": Pooling,
    "judge": Judge,
    "trainer": Trainer,
}
"""The six kinds and their protocols, in the order lists show them."""
