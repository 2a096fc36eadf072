"""Three ways to answers of a local model: the plain loop of today, bare `generate`, and the runner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from benchmarks.batches import Watched
from benchmarks.cells import seconds_to_answer
from benchmarks.spent import Spent
from harness import Answer, Clip, Prompt, Sample
from harness.batch_size import BatchSize
from harness.cell import Cell
from harness.hush import quiet_transformers
from harness.pipeline import prompt_of
from harness.video import decode

Tensors = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """A run's samples a second, its mean batch, and its seconds: in all, and the parts of them by name."""

    rate: float
    batch: float
    seconds: float
    parts: Mapping[str, float]


class Asked(Watched):
    """Notes when its calls begin and end."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.begun: list[float] = []
        self.ended: list[float] = []

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        self.begun.append(perf_counter())
        answers = super().generate(prompts)
        self.ended.append(perf_counter())
        return answers


class Ways:
    """Each way to answers of ``tokens`` new tokens. Raises RuntimeError when they do not do the same work."""

    def __init__(self, cell: Cell, tokens: int, budget: int) -> None:
        from transformers import AutoProcessor

        self.cell, self.tokens, self.budget = cell, tokens, budget
        self.plugin: Any = cell.model.plugin
        self.module = self.plugin.module()
        self.length = 0
        """Tokens of a prompt."""
        self._generate = self.module.generate
        with quiet_transformers():
            self._processor = AutoProcessor.from_pretrained(self.plugin.source.path)

    def __str__(self) -> str:
        import torch
        import transformers

        device = self.module.device
        place = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
        size = sum(weights.numel() for weights in self.module.parameters()) / 1e9
        return (
            f"{size:.2f}B parameters in {self.module.dtype} on {place}, torch {torch.__version__}, "
            f"transformers {transformers.__version__}"
        )

    def plain(self, samples: Sequence[Sample]) -> float:
        """Samples a second, one after the other, through transformers' own processor and module."""
        with self._saying(), _as_published(self.module), quiet_transformers():
            start = perf_counter()
            for sample in samples:
                inputs = self._processed(self._prompt(sample))
                said = self._answered(inputs)[:, inputs["input_ids"].shape[1] :]
                self._processor.batch_decode(said, skip_special_tokens=True)
            return len(samples) / (perf_counter() - start)

    def bare(self, samples: Sequence[Sample], calls: int = 1) -> float:
        """Samples a second of ``generate``, with all samples in each call and tensors that are ready."""
        inputs = self._there(self.plugin.inputs([self._prompt(sample) for sample in samples]))
        self.length = inputs["input_ids"].shape[1]
        with self._saying():
            _finish(self.module)
            start = perf_counter()
            for _ in range(calls):
                self._answered(inputs)
            _finish(self.module)
            return calls * len(samples) / (perf_counter() - start)

    def runner(self, samples: Sequence[Sample], batch: int) -> Run:
        """A run with batches of that size."""
        spent, model = Spent(), Asked(self.plugin)
        model.prepare = spent.timed("preparing, in threads", self.plugin.prepare)
        cell = replace(self.cell, model=replace(self.cell.model, plugin=model))
        generating = spent.timed("generate", self._answered)
        watched: dict[str, tuple[Any, Callable[..., Any]]] = {
            "generate": (self.module, lambda **inputs: generating(inputs)),
            "inputs": (self.plugin, spent.timed("joining", self.plugin.inputs)),
        }
        for name, (place, function) in watched.items():
            setattr(place, name, function)
        try:
            with self._saying():
                seconds = seconds_to_answer(cell, samples, BatchSize(batch), self.budget)
        finally:
            for name, (place, _) in watched.items():
                delattr(place, name)
        between = sum(begin - end for begin, end in zip(model.begun[1:], model.ended, strict=False))
        parts = {
            "first and last": seconds - model.seconds - between,
            "between calls": between,
            "join, copy": spent.seconds["joining"],
            "generate": spent.seconds["generate"],
            "read texts": model.seconds - spent.seconds["joining"] - spent.seconds["generate"],
            "preparing, in threads": spent.seconds["preparing, in threads"],
        }
        return Run(len(samples) / seconds, len(samples) / len(model.calls), seconds, parts)

    def _prompt(self, sample: Sample) -> Prompt:
        return prompt_of(self.cell, (sample,), decode(sample.video, self.cell.dataset.plugin.sampling))

    def _processed(self, prompt: Prompt) -> Tensors:
        content = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": "video"}
            for part in prompt.parts
        ]
        chat = [{"role": "system", "content": prompt.system}] if prompt.system else []
        chat.append({"role": "user", "content": content})
        text = self._processor.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        (clip,) = (part for part in prompt.parts if isinstance(part, Clip))
        count, height, width, _ = clip.frames.shape
        told = {
            "total_num_frames": count,
            "fps": (count - 1) / (clip.times[-1] - clip.times[0]),
            "frames_indices": list(range(count)),
            "height": height,
            "width": width,
        }
        inputs = self._processor(
            text=[text],
            videos=[clip.frames.transpose(0, 3, 1, 2)],
            videos_kwargs={"do_sample_frames": False, "video_metadata": [told]},
            return_tensors="pt",
        )
        if inputs["input_ids"].shape[1] != self.length:
            raise RuntimeError(f"{inputs['input_ids'].shape[1]} tokens in the plain loop, not {self.length}")
        return self._there(inputs)

    def _there(self, inputs: Tensors) -> Tensors:
        """On the module's device."""
        import torch

        return {
            name: one.to(self.module.device) for name, one in inputs.items() if isinstance(one, torch.Tensor)
        }

    def _answered(self, inputs: Tensors) -> Any:
        import torch

        with torch.inference_mode():
            ids = self._generate(**inputs)
        new = ids.shape[1] - inputs["input_ids"].shape[1]
        if new != self.tokens:
            raise RuntimeError(f"{new} new tokens, not {self.tokens}")
        return ids

    @contextmanager
    def _saying(self) -> Iterator[None]:
        """As many new tokens in each answer meanwhile as there should be."""
        own = self.module.generation_config
        before = own.min_new_tokens, own.max_new_tokens
        own.min_new_tokens = own.max_new_tokens = self.tokens
        try:
            yield
        finally:
            own.min_new_tokens, own.max_new_tokens = before


@contextmanager
def _as_published(module: Any) -> Iterator[None]:
    """Without what the plugin put in the place of transformers' own functions to make them faster."""
    parts = [(part, part.__dict__.pop("forward")) for part in module.modules() if "forward" in part.__dict__]
    try:
        yield
    finally:
        for part, forward in parts:
            part.forward = forward


def _finish(module: Any) -> None:
    """Wait until the device has done what was asked of it."""
    import torch

    if module.device.type == "cuda":
        torch.cuda.synchronize(module.device)
