"""The weights of a local model: loaded, quantized, adapted, put on their device."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import UsageError

from .families import require

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Quantize = Literal["none", "4bit", "8bit"]
Attention = Literal["sdpa", "eager", "flash_attention_2"]


@dataclass(frozen=True, slots=True)
class Weights:
    """How to load them. torch_dtype: ``auto`` is the checkpoint's own on a GPU and float32 on a CPU.

    device: ``auto`` is this rank's GPU, or the CPU; ``split`` is all GPUs together, as accelerate fills them.

    quantize: 4 bits (NF4, scales quantized too) or 8 bits (LLM.int8) through bitsandbytes; Dettmers et al.,
    arXiv 2305.14314 and 2208.07339. adapter: a PEFT adapter, merged into the weights unless they are
    quantized. seed: random weights start from it; None takes those of the checkpoint.
    """

    torch_dtype: Dtype
    quantize: Quantize
    attn: Attention
    device: str
    seed: int | None = None

    def check(self, adapted: bool) -> None:
        """Raise UsageError for what is not installed or does not go together. adapted: by an adapter."""
        if adapted:
            require("peft", "train")
        if self.quantize != "none":
            require("bitsandbytes", "train")
            if self.seed is not None:
                raise UsageError("init=random cannot be quantized: leave quantize out")
        if self.device == "split":
            if self.seed is not None:
                raise UsageError("init=random cannot be split: leave device=split out")
            if int(os.environ.get("LOCAL_WORLD_SIZE", "1")) > 1:
                raise UsageError("device=split takes all GPUs for one process: use --nproc-per-node=1")
        if self.attn == "flash_attention_2" and importlib.util.find_spec("flash_attn") is None:
            raise UsageError("flash_attn is not installed: pip install flash-attn, or use attn=sdpa")

    def load(self, folder: Path, adapter: Path | None = None) -> Any:
        """The module for images and text in ``folder``, in evaluation, on its device.

        Raises UsageError when transformers does not know it as one, or the adapter is for another model.
        """
        device = self.torch_device()
        dtype = self.torch_dtype if self.torch_dtype != "auto" or device.type != "cpu" else "float32"
        stored = self.seed is None
        module = self._stored(folder, dtype, device) if stored else self._initial(folder, dtype)
        if self.quantize == "none" and self.device != "split":
            module = module.to(device)
        return (module if adapter is None else self._adapted(module, adapter)).eval()

    def torch_device(self) -> Any:
        import torch

        if self.device not in ("auto", "split"):
            return torch.device(self.device)
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())

    def _stored(self, folder: Path, dtype: str, device: Any) -> Any:
        from safetensors import SafetensorError
        from transformers import AutoModelForImageTextToText, BitsAndBytesConfig

        settings: dict[str, Any] = {"dtype": dtype, "attn_implementation": self.attn}
        if self.quantize == "4bit":
            import torch

            compute = torch.float32 if dtype == "float32" else torch.bfloat16
            settings["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=torch.float16 if dtype == "float16" else compute,
            )
        elif self.quantize == "8bit":
            settings["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)
        if self.device == "split":
            settings["device_map"] = "auto"
        elif self.quantize != "none":
            settings["device_map"] = {"": device}
        try:
            return AutoModelForImageTextToText.from_pretrained(
                folder, config=configuration(folder), **settings
            )
        except (OSError, SafetensorError) as error:
            raise damaged("weights", folder, error) from error

    def _initial(self, folder: Path, dtype: str) -> Any:
        import torch
        from transformers import AutoModelForImageTextToText

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed or 0)
            module = AutoModelForImageTextToText.from_config(
                configuration(folder), attn_implementation=self.attn
            )
        return module if dtype == "auto" else module.to(getattr(torch, dtype))

    def _adapted(self, module: Any, adapter: Path) -> Any:
        from peft import PeftModel

        try:
            found = PeftModel.from_pretrained(module, str(adapter), torch_device=str(module.device))
        except (ValueError, RuntimeError, KeyError) as error:
            first = next(iter(str(error).splitlines()), "")
            raise UsageError(f"the adapter {adapter} does not fit this model: {first}") from error
        # Merging would round the sum to the few bits of the weights.
        return found.merge_and_unload() if self.quantize == "none" else found.get_base_model()


def damaged(part: str, folder: Path, error: Exception) -> UsageError:
    """What to say of a part of a checkpoint that cannot be read."""
    said = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return UsageError(f"the {part} in {folder} cannot be read ({said[:200]}): copy the folder again")


def configuration(folder: Path) -> Any:
    """The configuration in ``folder``. Raises UsageError unless it is of a model for images and text."""
    import transformers
    from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except (ValueError, KeyError) as error:  # a kind it does not know, or with code of its own
        raise UsageError(
            f"transformers {transformers.__version__} cannot read {folder / 'config.json'}: "
            "pip install -U transformers, or choose another model"
        ) from error
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise UsageError(
            f"a model of type {config.model_type!r} takes no images beside text: choose another model"
        )
    return config
