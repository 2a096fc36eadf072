"""A video-language model on this machine, through transformers: the hub's, your own, and the tiny one.

Which family it is, its config.json says; ``families`` holds what differs from one to the next. The
harness's frames go in as they are, so that a noise reaches the model. A batch answers what each of its
prompts would be answered alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from harness import Answer, Prompt, Status, UsageError
from harness.hush import quiet_transformers

from .families import family_class, require
from .families.family import Family, FrameForm, Settings
from .generation import Generation
from .joining import Prepared, join, kinds, prepared, with_answers
from .source import locate
from .weights import Attention, Dtype, Quantize, Weights, configuration, damaged

_NEEDS = ("torch", "torchvision", "transformers", "safetensors", "accelerate")


class Local:
    """Any image-text-to-text model of transformers, from a folder or the hub.

    path: a folder, or ``owner/name`` on the hub. revision: branch, tag or commit there. torch_dtype:
    ``auto`` is the checkpoint's own on a GPU and float32 on a CPU. quantize: 4bit (NF4) or 8bit through
    bitsandbytes. attn: sdpa, eager or flash_attention_2. adapter: a folder or ``owner/name`` with a PEFT
    adapter. device: ``auto`` is this rank's GPU, or the CPU; ``split`` is all GPUs together, for a model too
    large for one, in one process. frames: how clips are shown, as a video or as images; ``auto`` is as the
    model's authors do it. min_pixels (Qwen's families alone), max_pixels: area of a frame; when not given,
    the checkpoint's own. max_new_tokens: length of an answer at most. num_beams,
    repetition_penalty: as in transformers. temperature: 0 answers greedily; above it answers are drawn,
    one prompt a call, from ``top_p`` of the probability, starting from ``seed`` and the prompt. init:
    ``random`` starts from ``seed`` instead of the weights, to be trained. save_dtype: the precision
    ``save`` writes.
    """

    version = 1
    transport = frozenset({"path", "revision", "adapter", "device", "save_dtype"})
    max_batch = 1024
    only: str | None = None
    """The one ``model_type`` that is read; None reads all."""

    def __init__(
        self,
        path: str,
        *,
        revision: str = "main",
        torch_dtype: Dtype = "auto",
        quantize: Quantize = "none",
        attn: Attention = "sdpa",
        adapter: str | None = None,
        device: str = "auto",
        frames: FrameForm = "auto",
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        max_new_tokens: int = 512,
        num_beams: int = 1,
        repetition_penalty: float = 1.0,
        temperature: float = 0.0,
        top_p: float = 1.0,
        init: Literal["weights", "random"] = "weights",
        seed: int = 0,
        save_dtype: Literal["same", "float32", "bfloat16", "float16"] = "same",
    ) -> None:
        self.source = locate(path, revision, weights=init == "weights")
        self.adapter = locate(adapter, adapter=True) if adapter else None
        self.weights = Weights(torch_dtype, quantize, attn, device, seed if init == "random" else None)
        self.settings = Settings(frames, min_pixels, max_pixels)
        self.generation = Generation(max_new_tokens, num_beams, repetition_penalty, temperature, top_p, seed)
        self.save_dtype = save_dtype
        self._family: Family | None = None
        self._module: Any = None
        self._own_generation: Any = None
        self._gate = threading.RLock()
        self._crowded = False
        """Whether memory ran out in the last call."""

    def check(self) -> None:
        for package in _NEEDS:
            require(package, "hf")
        self.generation.check()
        self.weights.check(self.adapter is not None)
        self.source.check(self.only)
        if self.adapter is not None:
            self.adapter.check()

    def identity(self) -> Mapping[str, Any]:
        own = self.source.identity()
        return own if self.adapter is None else {**own, "adapter": self.adapter.identity()}

    def load(self) -> None:
        """Load processor and weights; does nothing the second time."""
        with self._gate:
            if self._module is not None:
                return
            family = self.family()
            with quiet_transformers():
                adapter = self.adapter.fetch().path if self.adapter is not None else None
                module = self.weights.load(self.source.fetch().path, adapter)
                family.tune(module, self.weights.attn)
            self._own_generation = module.generation_config
            module.generation_config = self.generation.config(module.generation_config, family.tokenizer)
            self._module = module

    def family(self) -> Family:
        """How prompts become tensors; loads the processor, not the weights."""
        with self._gate:
            if self._family is None:
                from transformers import AutoProcessor

                folder = self.source.fetch()
                folder.check(self.only)
                with quiet_transformers():
                    config = configuration(folder.path)
                    kind = family_class(config.model_type)
                    if self.generation.num_beams > 1 and not kind.beams:
                        raise UsageError(
                            f"a model of type {config.model_type!r} is not answered by beams: "
                            "leave out num_beams"
                        )
                    try:
                        processor = AutoProcessor.from_pretrained(folder.path, trust_remote_code=False)
                    except ImportError as error:  # its sentence says what to install
                        raise UsageError(str(error).strip().partition("\n")[0]) from error
                    except (OSError, ValueError, KeyError, TypeError) as error:
                        raise damaged("processor", folder.path, error) from error
                self._family = kind(processor, config, self.settings)
            return self._family

    def prepare(self, prompts: Sequence[Prompt]) -> list[Prepared]:
        """The tensors of each prompt, ready for ``generate``; from any thread, before ``load`` or after.

        Raises whatever the processor throws at odd frames.
        """
        return prepared(self._cast(self.family().prepare(prompts)))

    def inputs(self, prompts: Sequence[Prompt | Prepared], device: Any = "cpu") -> dict[str, Any]:
        """One batch for ``module().generate``, on ``device``. Raises where the prompts cannot be one."""
        found = [
            {name: one.to(device, non_blocking=True) for name, one in prompt.tensors.items()}
            for prompt in self._prepared(prompts)
        ]
        return self._cast([join(found, self.family().tokenizer.pad_token_id)])[0]

    def generate(self, prompts: Sequence[Prompt | Prepared]) -> Iterator[Answer]:
        """Answers in order, all at once.

        One prompt that the processor cannot take is answered with its failure. What else goes wrong is
        raised, and so is that with several prompts: the harness then asks in halves.
        """
        self.load()
        if self._crowded:
            import torch

            # By now nothing refers any more to what the call that failed had in memory.
            torch.cuda.empty_cache()
            self._crowded = False
        try:
            batch = self._prepared(prompts)
        except Exception as error:  # whatever a processor throws at odd frames
            if len(prompts) > 1 or isinstance(error, MemoryError):
                raise
            yield Answer(status=Status.MODEL_ERROR, error=f"{type(error).__name__}: {error}")
            return
        answers: dict[int, Answer] = {}
        for places in self._calls(batch):
            answers.update(zip(places, self._answer([batch[place] for place in places]), strict=True))
        yield from (answers[place] for place in range(len(batch)))

    def module(self) -> Any:
        """The model as transformers has it, on its device."""
        self.load()
        return self._module

    def encode(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Mapping[str, Any]:
        """The prompts' tensors on the CPU, left-padded, the answers after them, labels for these alone.

        An answer is tokenized by itself and ends with the token that ends a turn: exactly what
        generation is to produce after the prompt. Pixels are in half precision, which keeps all that 8
        bits held, because between processes and to the GPU they are by far the largest part.
        """
        family = self.family()
        tokenizer = family.tokenizer
        spoken = [tokenizer.encode(text, add_special_tokens=False) for text in answers]
        pad = tokenizer.pad_token_id
        ended = [[*tokens, tokenizer.eos_token_id] for tokens in spoken]
        # Workers do this, in which no GPU may be touched.
        batch = with_answers(join(family.prepare(prompts), pad), ended, pad)
        return {name: one.half() if one.is_floating_point() else one for name, one in batch.items()}

    def save(self, folder: Path) -> None:
        """Write weights, tokenizer, processor and configuration, so that ``path=folder`` loads."""
        import torch

        self.load()
        module, answering = self._module, self._module.generation_config
        weights = module.state_dict()
        if self.save_dtype != "same":
            dtype = getattr(torch, self.save_dtype)
            # By address, so that weights two layers share stay shared and are written once.
            cast = {tensor.data_ptr(): tensor.to(dtype) for tensor in weights.values()}
            weights = {name: cast[tensor.data_ptr()] for name, tensor in weights.items()}
        with quiet_transformers():
            try:
                module.generation_config = self._own_generation
                module.config.get_text_config().use_cache = True  # which trainers switch off
                module.save_pretrained(folder, state_dict=weights)
            finally:
                module.generation_config = answering
            self.family().processor.save_pretrained(folder)

    def _cast(self, found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """With pixels in the module's precision once it is there, and where a GPU can fetch them itself.

        What prompts share they go on sharing.
        """
        cast: dict[int, Any] = {}

        def one(tensor: Any) -> Any:
            if self._module is None or not tensor.is_floating_point():
                return tensor
            if id(tensor) not in cast:
                found = tensor.to(self._module.dtype)
                pinned = found.device.type == "cpu" and self._module.device.type == "cuda"
                cast[id(tensor)] = found.pin_memory() if pinned else found
            return cast[id(tensor)]

        return [{name: one(tensor) for name, tensor in tensors.items()} for tensors in found]

    def _prepared(self, prompts: Sequence[Prompt | Prepared]) -> list[Prepared]:
        """All of them prepared, those that are not yet together: they may share a clip."""
        late = iter(self.prepare([one for one in prompts if isinstance(one, Prompt)]))
        return [next(late) if isinstance(one, Prompt) else one for one in prompts]

    def _calls(self, batch: Sequence[Prepared]) -> list[list[int]]:
        """Which of them are asked together."""
        if self.generation.by_chance:  # what is drawn for one must not depend on the others
            return [[place] for place in range(len(batch))]
        return kinds(batch, self.family().flat)

    def _answer(self, batch: Sequence[Prepared]) -> list[Answer]:
        import torch

        module, tokenizer = self._module, self.family().tokenizer
        lengths = [int(one.tensors["attention_mask"].sum()) for one in batch]
        try:
            # Side by side they are put on the device: there it takes no time.
            inputs = self.inputs(batch, module.device)
            with torch.inference_mode(), self.generation.chance(inputs["input_ids"], module.device):
                ids = module.generate(**inputs)
        except torch.OutOfMemoryError:
            self._crowded = True
            raise
        said = ids[:, inputs["input_ids"].shape[1] :].cpu()
        texts = tokenizer.batch_decode(said, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        counts = (said != tokenizer.pad_token_id).sum(1).tolist()
        return [
            Answer(text.strip(), meta={"prompt_tokens": length, "completion_tokens": count})
            for text, length, count in zip(texts, lengths, counts, strict=True)
        ]
