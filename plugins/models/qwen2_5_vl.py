"""Qwen2.5-VL on this machine, through transformers: the hub's models, your own, and the tiny one.

The harness's frames go in as a video that is already sampled, so that a noise reaches the model; their
times give Qwen's absolute time. Prompts of unequal length are padded on the left and answered
greedily, and a batch answers what each of its prompts would be answered alone.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from harness import Answer, Prompt, Status, UsageError
from harness.hush import quiet_transformers

from .qwen_encoder import Encoder
from .qwen_source import Folder, locate

_NEEDS = ("torch", "torchvision", "transformers", "safetensors")
VIDEO_PIXELS = 768 * 28 * 28
"""Qwen's own bound on the area of one frame of a video (qwen-vl-utils)."""


class Qwen25VL:
    """Qwen2.5-VL from a folder or the hub.

    path: a folder, or ``owner/name`` on the hub. revision: branch, tag or commit there. torch_dtype:
    ``auto`` is the checkpoint's own on a GPU and float32 on a CPU. attn: sdpa, eager or
    flash_attention_2. device: ``auto`` is this rank's GPU, or the CPU. max_new_tokens: length of an
    answer at most. min_pixels, max_pixels: area frames are resized to lie in; when not given, the
    checkpoint's own, though at most 768·28² for a frame of a video. init: ``random`` starts from
    ``seed`` instead of the weights, to be trained. save_dtype: the precision ``save`` writes.
    """

    version = 1
    transport = frozenset({"path", "revision", "device", "save_dtype"})
    max_batch = 1024

    def __init__(
        self,
        path: str,
        *,
        revision: str = "main",
        torch_dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
        attn: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa",
        device: str = "auto",
        max_new_tokens: int = 512,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        init: Literal["weights", "random"] = "weights",
        seed: int = 0,
        save_dtype: Literal["same", "float32", "bfloat16", "float16"] = "same",
    ) -> None:
        self.source = locate(path, revision)
        self.torch_dtype = torch_dtype
        self.attn = attn
        self.device = device
        self.max_new_tokens = max_new_tokens
        self.pixels = (min_pixels, max_pixels)
        self.init = init
        self.seed = seed
        self.save_dtype = save_dtype
        self._module: Any = None
        self._encoder: Encoder | None = None
        self._generation: Any = None
        self._crowded = False
        """Whether memory ran out in the last call."""

    def check(self) -> None:
        for package in _NEEDS:
            if importlib.util.find_spec(package) is None:
                raise UsageError(f"{package} is not installed: pip install 'vidharness[hf]'")
        if self.max_new_tokens < 1:
            raise UsageError(f"max_new_tokens must be at least 1, not {self.max_new_tokens}")
        if isinstance(self.source, Folder):
            self.source.check(weights=self.init == "weights")
        else:
            self.source.check()

    def identity(self) -> Mapping[str, Any]:
        if isinstance(self.source, Folder):
            return self.source.identity(weights=self.init == "weights")
        return self.source.identity()

    def load(self) -> None:
        """Load processor and weights; does nothing the second time."""
        if self._module is None:
            folder = self.source if isinstance(self.source, Folder) else self.source.fetch()
            folder.check(weights=self.init == "weights")
            with quiet_transformers():
                self._module = self._load_module(str(folder.path))
                self._encoder = self._load_encoder(str(folder.path))

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[Answer]:
        """Answers in order, all at once.

        One prompt that the processor cannot take is answered with its failure. What else goes wrong is
        raised, and so is that with several prompts: the harness then asks in halves.
        """
        self.load()
        assert self._encoder is not None
        if self._crowded:
            import torch

            # By now nothing refers any more to what the call that failed had in memory.
            torch.cuda.empty_cache()
            self._crowded = False
        if not prompts:
            return
        try:
            inputs = self._encoder.prompts(prompts)
        except Exception as error:  # whatever a processor throws at odd frames
            if len(prompts) > 1 or isinstance(error, MemoryError):
                raise
            yield Answer(status=Status.MODEL_ERROR, error=f"{type(error).__name__}: {error}")
            return
        yield from self._answer(inputs)

    def module(self) -> Any:
        """The Qwen2_5_VLForConditionalGeneration, on its device."""
        self.load()
        return self._module

    def encode(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Mapping[str, Any]:
        """Tensors on the CPU: ids, mask and labels [B, L], positions [3, B, L], pixels and grids."""
        self.load()
        assert self._encoder is not None
        return self._encoder.answers(prompts, answers)

    def save(self, folder: Path) -> None:
        """Write weights, tokenizer, processor and configuration, so that ``path=folder`` loads."""
        import torch

        self.load()
        assert self._encoder is not None
        module, greedy = self._module, self._module.generation_config
        weights = module.state_dict()
        if self.save_dtype != "same":
            dtype = getattr(torch, self.save_dtype)
            # By address, so that weights two layers share stay shared and are written once.
            cast = {tensor.data_ptr(): tensor.to(dtype) for tensor in weights.values()}
            weights = {name: cast[tensor.data_ptr()] for name, tensor in weights.items()}
        with quiet_transformers():
            try:
                module.generation_config = self._generation
                module.config.text_config.use_cache = True  # which trainers switch off
                module.save_pretrained(folder, state_dict=weights)
            finally:
                module.generation_config = greedy
            self._encoder.processor.save_pretrained(folder)

    def _answer(self, inputs: Mapping[str, Any]) -> list[Answer]:
        import torch

        assert self._encoder is not None
        lengths = inputs["attention_mask"].sum(1).tolist()
        try:
            with torch.inference_mode():
                ids = self._module.generate(
                    **{name: tensor.to(self._module.device) for name, tensor in inputs.items()}
                )
        except torch.OutOfMemoryError:
            self._crowded = True
            raise
        said = ids[:, inputs["input_ids"].shape[1] :].cpu()
        tokenizer = self._encoder.processor.tokenizer
        texts = tokenizer.batch_decode(said, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        counts = (said != tokenizer.pad_token_id).sum(1).tolist()
        return [
            Answer(text.strip(), meta={"prompt_tokens": length, "completion_tokens": count})
            for text, length, count in zip(texts, lengths, counts, strict=True)
        ]

    def _load_module(self, folder: str) -> Any:
        import torch
        from transformers import AutoConfig, GenerationConfig, Qwen2_5_VLForConditionalGeneration

        from .qwen_vision import speed_up

        device = self._device()
        dtype = self.torch_dtype if self.torch_dtype != "auto" or device.type != "cpu" else "float32"
        if self.init == "weights":
            module = Qwen2_5_VLForConditionalGeneration.from_pretrained(
                folder, dtype=dtype, attn_implementation=self.attn
            )
        else:
            config = AutoConfig.from_pretrained(folder, attn_implementation=self.attn)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                module = Qwen2_5_VLForConditionalGeneration(config)
            if dtype != "auto":
                module = module.to(getattr(torch, dtype))
        if self.attn == "sdpa":
            speed_up(module.model.visual)
        self._generation = module.generation_config
        module.generation_config = GenerationConfig(
            do_sample=False,
            max_new_tokens=self.max_new_tokens,
            min_new_tokens=1,  # an answer of nothing could not be judged
            bos_token_id=self._generation.bos_token_id,
            eos_token_id=self._generation.eos_token_id,
            pad_token_id=self._generation.pad_token_id,
        )
        return module.to(device).eval()

    def _load_encoder(self, folder: str) -> Encoder:
        from transformers import AutoProcessor

        processor = AutoProcessor.from_pretrained(folder)
        image, video = (
            (one.size["shortest_edge"], one.size["longest_edge"])
            for one in (processor.image_processor, processor.video_processor)
        )
        least, most = self.pixels
        return Encoder(
            processor=processor,
            config=self._module.config,
            image_pixels=_bounds(image, least, most),
            video_pixels=_bounds(video, least, most or min(video[1], VIDEO_PIXELS)),
        )

    def _device(self) -> Any:
        import torch

        if self.device != "auto":
            return torch.device(self.device)
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


def _bounds(own: tuple[int, int], least: int | None, most: int | None) -> tuple[int, int]:
    """The checkpoint's own bounds with those the user gave in their place; never crossed."""
    high = most or own[1]
    return min(least or own[0], high), high
