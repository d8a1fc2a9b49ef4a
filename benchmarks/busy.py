"""A busy machine: training, prediction and masking of the embedded default's model, idle and beside other work.

`python -m benchmarks busy`: how much each does in SECONDS, once with OpenMP's own way of waiting, where threads spin
for one another, and once with emoscope's default, where they sleep; alone, and beside a process that keeps a core busy.
Each measurement is a process of its own with two threads, and the four of a kind come in turns; the median counts.
`same` says whether both ways gave the same bytes.
"""

import contextlib
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain, count
from pathlib import Path

SECONDS, ROUNDS = 6, 3
CHECKED = 5  # rounds of work whose result is compared
WORKS = ("training", "prediction", "masking")
WAITS = {"spinning": {}, "asleep": {"OMP_WAIT_POLICY": "PASSIVE"}}
UNITS = {"training": "steps", "prediction": "batches of 64 texts", "masking": "batches of 64 texts under 15 masks"}


def measure() -> dict:
    found: dict[str, dict] = {}
    for work in WORKS:
        done: dict[str, list[float]] = {}
        results = set()
        for _ in range(ROUNDS):
            for beside in (False, True):
                for wait, setting in WAITS.items():
                    with busy_process() if beside else contextlib.nullcontext():
                        rate, result = run(work, setting)
                    done.setdefault(f"{'busy' if beside else 'idle'}, {wait}", []).append(rate)
                    results.add(result)
        per_minute = {name: round(statistics.median(rates)) for name, rates in done.items()}
        found[work] = {"unit": UNITS[work], "per_minute": per_minute, "same": len(results) == 1}
    return found


@contextlib.contextmanager
def busy_process() -> Iterator[None]:
    """A process that never waits, until the block ends."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def run(work: str, setting: dict[str, str]) -> tuple[float, str]:
    """Work for SECONDS in a fresh process: rounds done per minute, and the SHA-256 of the first results."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | setting
    command = [sys.executable, "-m", "benchmarks.busy", work]
    done = subprocess.run(command, env=environment | {"OMP_NUM_THREADS": "2"}, check=True, capture_output=True)
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def work_for_a_while(work: str) -> tuple[float, str]:
    """What the fresh process does: rounds of work, the first ones uncounted and their results digested."""
    import torch

    from benchmarks.measuring import sentences
    from emoscope.data.class_names import EMOTIONS
    from emoscope.experiments.masking.masks import masks_of
    from emoscope.experiments.masking.measure import block_scores
    from emoscope.experiments.masking.reference import Reference, mean_outputs
    from emoscope.models.inside.allowed import CHECKS
    from emoscope.models.logits import predict_logits
    from emoscope.models.onednn import use_onednn
    from emoscope.training.finetune import rows_of, trainer_of, training_arguments
    from emoscope.training.start import start_model, train_tokenizer

    torch.manual_seed(0)
    texts = sentences(2048)
    sizes = {"blocks": 12, "heads": 12, "width": 96, "vocabulary": 4000, "context": 128}
    tokenizer = train_tokenizer(texts, sizes)
    model = use_onednn(start_model(None, tokenizer, EMOTIONS, sizes))
    few = texts[:64]
    if work == "training":
        recipe = {"epochs": 1, "batch_size": 32, "learning_rate": 1e-3, "weight_decay": 0.01, "schedule": "cosine"}
        with tempfile.TemporaryDirectory() as scratch:
            settings = training_arguments(recipe | {"warmup": 0, "precision": "fp32"}, 0, 96, Path(scratch))
            trainer = trainer_of(model, tokenizer, rows_of(tokenizer, texts, [0] * len(texts)), settings)
            batches = chain.from_iterable(trainer.get_train_dataloader() for _ in count())
            optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)

            def step() -> bytes:
                optimiser.zero_grad()
                loss = model(**next(batches)).loss
                loss.backward()
                optimiser.step()
                return loss.detach().numpy().tobytes()

            return counted(step)
    model.eval()
    if work == "prediction":
        return counted(lambda: predict_logits(model, tokenizer, few, 8192).tobytes())
    reference = Reference(few, mean_outputs(model, tokenizer, few, 8192))
    masks = masks_of(model, ["described", "published", "mean"], ["zero"], 1)
    return counted(
        lambda: b"".join(map(bytes, block_scores(model, tokenizer, few, 5, masks, reference, 8192, CHECKS).values()))
    )


def counted(once: Callable[[], bytes]) -> tuple[float, str]:
    """Rounds per minute over SECONDS, and the SHA-256 of what CHECKED rounds before them gave."""
    result = hashlib.sha256(b"".join(once() for _ in range(CHECKED))).hexdigest()
    start, rounds = time.perf_counter(), 0
    while (took := time.perf_counter() - start) < SECONDS:
        once()
        rounds += 1
    return 60 * rounds / took, result


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        said = work_for_a_while(sys.argv[1])
    print(json.dumps(said))
