"""Supervised fine-tuning of all weights: the model learns to give the data set's answers.

transformers' Trainer does the steps; what to learn from comes from ``lessons``, what makes a training
go on after an interruption from ``record``. One process, on one GPU or on the CPU.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

from harness import Sample, UsageError
from harness.hush import quiet_transformers
from harness.interfaces import Dataset, Model, Trainable

from .lessons import Clips, Lessons, collate, prepare
from .record import Record, drop_checkpoints, last_checkpoint, open_record


class SFT:
    """Full fine-tuning with AdamW.

    steps: how many, or ``epochs`` when not given. lr: the highest learning rate, reached after the
    share ``warmup`` of the steps. batch_size: prompts a step, ``accumulate`` times. schedule: how the
    rate falls then. clip: bound on the gradient's norm. seed: order of the samples. bf16: mixed
    precision; when not given, where the GPU can. workers: processes that prepare batches; when not
    given, one a core. memory: GiB that decoded videos may take. save_every, log_every: steps.
    """

    def __init__(
        self,
        *,
        steps: int | None = None,
        epochs: float = 1.0,
        lr: float = 1e-5,
        batch_size: int = 8,
        accumulate: int = 1,
        warmup: float = 0.03,
        schedule: Literal["cosine", "linear", "constant"] = "cosine",
        weight_decay: float = 0.0,
        beta2: float = 0.999,
        clip: float = 1.0,
        seed: int = 0,
        bf16: bool | None = None,
        workers: int | None = None,
        memory: float = 8.0,
        save_every: int = 500,
        log_every: int = 20,
    ) -> None:
        for name, value in (("lr", lr), ("batch_size", batch_size), ("accumulate", accumulate)):
            if not value > 0:
                raise UsageError(f"{name} must be above 0, not {value}")
        if not (steps or 1) > 0 or not epochs > 0:
            raise UsageError("steps and epochs must be above 0")
        if save_every < 1 or log_every < 1:
            raise UsageError("save_every and log_every must be at least 1")
        self.options: dict[str, Any] = {
            "steps": steps,
            "epochs": None if steps else epochs,
            "lr": lr,
            "batch_size": batch_size,
            "accumulate": accumulate,
            "warmup": warmup,
            "schedule": schedule,
            "weight_decay": weight_decay,
            "beta2": beta2,
            "clip": clip,
            "seed": seed,
        }
        self.bf16 = bf16
        self.workers = _cores() if workers is None else workers
        self.memory = memory
        self.save_every = save_every
        self.log_every = log_every

    def train(self, model: Model, dataset: Dataset, clips: Clips, out: Path) -> Path:
        """Train, or go on training, in ``out``; the same command again after the end does nothing.

        Raises UsageError when the model cannot be trained, or when ``out`` holds something else.
        """
        if not isinstance(model, Trainable):
            name = type(model).__name__
            raise UsageError(f"{name} cannot be trained: choose a local model, e.g. TinyQwen2.5-VL")
        samples = dataset.samples()
        record = open_record(out, self._plan(model, dataset, samples))
        if not record.finished:
            lessons = prepare(dataset, samples, clips, self.memory * 2**30, self.workers)
            record.write(out)
            with quiet_transformers():
                self._run(model, lessons, record, out)
        return out

    def _run(self, model: Trainable, lessons: Lessons, record: Record, out: Path) -> None:
        from transformers import Trainer
        from transformers.trainer_callback import PrinterCallback

        from .reporter import Reporter

        module = model.module()
        began = time.monotonic()
        trainer = Trainer(
            model=module,
            args=self._arguments(module, out, len(lessons)),
            train_dataset=lessons,
            data_collator=partial(collate, model.encode),
            callbacks=[Reporter(sys.stderr)],
        )
        trainer.remove_callback(PrinterCallback)
        checkpoint = last_checkpoint(out)
        if checkpoint is not None:
            _restore(module, checkpoint)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        module.eval()
        model.save(out)
        losses = [
            (int(entry["step"]), float(entry["loss"]))
            for entry in trainer.state.log_history
            if "loss" in entry
        ]
        replace(record, finished=True, seconds=time.monotonic() - began, losses=losses).write(out)
        drop_checkpoints(out)

    def _arguments(self, module: Any, out: Path, lessons: int) -> Any:
        import torch
        from transformers import TrainingArguments

        gpu = module.device.type == "cuda"
        options = self.options
        schedule = "constant_with_warmup" if options["schedule"] == "constant" else options["schedule"]
        arguments = TrainingArguments(
            output_dir=str(out),
            max_steps=options["steps"] or -1,
            num_train_epochs=options["epochs"] or 1.0,
            per_device_train_batch_size=options["batch_size"],
            gradient_accumulation_steps=options["accumulate"],
            learning_rate=options["lr"],
            lr_scheduler_type=schedule,
            warmup_steps=options["warmup"],
            weight_decay=options["weight_decay"],
            adam_beta2=options["beta2"],
            max_grad_norm=options["clip"],
            seed=options["seed"],
            bf16=gpu and torch.cuda.is_bf16_supported() if self.bf16 is None else self.bf16,
            use_cpu=not gpu,
            optim="adamw_torch_fused",
            dataloader_num_workers=self.workers,
            dataloader_persistent_workers=self.workers > 0,
            dataloader_pin_memory=gpu,
            dataloader_drop_last=lessons >= options["batch_size"],
            save_steps=self.save_every,
            save_total_limit=1,
            logging_steps=self.log_every,
            remove_unused_columns=False,
            label_names=["labels"],
            report_to="none",
            disable_tqdm=True,
            log_level="error",
        )
        if gpu:
            arguments._n_gpu = 1  # DataParallel would cut the positions [3, B, L] along the wrong axis
        return arguments

    def _plan(self, model: Model, dataset: Dataset, samples: Sequence[Sample]) -> dict[str, Any]:
        """Everything that decides the result, as JSON values."""
        identity: Mapping[str, Any] = getattr(model, "identity", dict)()
        digest = blake2b(digest_size=16)
        for sample in samples:
            digest.update(repr((sample.id, sample.video.key, sample.question, sample.answer)).encode())
        return {
            **self.options,
            "model": {"class": type(model).__name__, **identity},
            "dataset": {
                "class": type(dataset).__name__,
                "sampling": str(dataset.sampling),
                "samples": digest.hexdigest(),
            },
        }


def _restore(module: Any, checkpoint: Path) -> None:
    """Put a checkpoint's weights into the module.

    transformers' Trainer does this too, but looks for the names the weights have in memory. Models
    whose weights have other names on disk, Qwen2.5-VL among them, it would silently leave as they are
    (huggingface/transformers issue 43701).
    """
    load = getattr(type(module), "from_pretrained", None)
    if load is not None:
        module.load_state_dict(load(checkpoint, dtype=module.dtype).state_dict())


def _cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
