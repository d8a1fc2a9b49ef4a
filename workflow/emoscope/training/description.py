"""Whether what the configuration says of a model's parts is true of it, before it is trained for hours."""

from copy import deepcopy
from pathlib import Path

import pandas as pd

from emoscope.models.inside.exactness import assert_usable, checks_of, record
from emoscope.models.inside.padding import chosen_texts
from emoscope.models.inside.structure import prepared
from emoscope.models.loading import device
from emoscope.models.onednn import use_onednn
from emoscope.storage.files import read_json, write_json
from emoscope.training.finetune import ready_to_train


def check_description(train: Path, audit: Path, base: Path, config: dict, output: Path) -> None:
    """Check a described model as it is before its fine-tuning, on some training texts, and write what
    `check_exactness` writes of the finished one. UserError if that would refuse it.

    `config` is that of `finetune`. Its classification head is random yet: what the checks say of that is no news.
    """
    texts = pd.read_parquet(train)
    model, tokenizer = ready_to_train(base, texts, read_json(audit)["classes"], config)
    eager = deepcopy(model)
    eager.set_attn_implementation("eager")
    both = [use_onednn(prepared(one).to(device()).eval()) for one in (model, eager)]
    checks = checks_of(*both, tokenizer, chosen_texts(tokenizer, texts["text"]))
    assert_usable(checks, str(base))
    write_json(record(checks), output)
