"""What the files of a tokenizer say, read without it. Imported by the Snakefile: nothing heavy in here."""

import json
from pathlib import Path

from emoscope.errors import UserError
from emoscope.models.anatomy import Family

PLAIN = {"GPT2Tokenizer": ("vocab.json", "merges.txt"), "BertTokenizer": ("vocab.txt",)}  # instead of tokenizer.json
GENERIC = ("", "PreTrainedTokenizer", "TokenizersBackend")  # classes with no special tokens of their own


def check_tokenizer_files(folder: Path, config: dict, family: Family, rows: int | None) -> None:
    """Check that a model folder's tokenizer can be read, can pad, and knows no token beyond the embedding's rows.

    `config` is the model's; without `rows`, tokens are not compared. UserError at the first mistake.
    """
    files = (folder / name for name in ("special_tokens_map.json", "tokenizer_config.json"))
    settings = {key: value for file in files if file.is_file() for key, value in read_object(file).items()}
    kind = settings.get("tokenizer_class") or config.get("tokenizer_class") or family.tokenizer or ""
    kind = kind.removesuffix("Fast")
    tokens = _tokens(folder, kind)
    for number, token in (settings.get("added_tokens_decoder") or {}).items():
        tokens.setdefault(token["content"], int(number))
    if kind in GENERIC and not any(settings.get(name) for name in ("pad_token", "eos_token")):
        raise UserError(
            f"{folder}: the tokenizer has neither a pad_token nor an eos_token, so texts cannot be padded; name one in "
            "tokenizer_config.json"
        )
    last = max(tokens, key=tokens.get)
    _check_rows(folder, f"token {last!r} of the tokenizer", tokens[last], rows)
    _check_rows(folder, "pad_token_id of config.json", config.get("pad_token_id") or 0, rows)


def _check_rows(folder: Path, what: str, number: int, rows: int | None) -> None:
    if rows is not None and number >= rows:
        raise UserError(
            f"{folder}: {what} is number {number}, but the embedding ends at {rows - 1}; save model and tokenizer "
            "together, after `model.resize_token_embeddings(len(tokenizer))`"
        )


def _tokens(folder: Path, kind: str) -> dict[str, int]:
    """Each token's number: from tokenizer.json, or else from the plain files that the tokenizer's class reads."""
    mend = f"save it there with `tokenizer.save_pretrained({str(folder)!r})`"
    if (file := folder / "tokenizer.json").is_file():
        content = read_object(file)
        try:
            vocabulary = content["model"]["vocab"]
            if isinstance(vocabulary, list):  # Unigram: [token, score]
                vocabulary = {token: number for number, (token, _) in enumerate(vocabulary)}
            added = {token["content"]: token["id"] for token in content.get("added_tokens", [])}
            tokens = {**vocabulary, **added}
        except (KeyError, TypeError, ValueError):
            tokens = {}
        if not tokens or not all(isinstance(number, int) for number in tokens.values()):
            raise UserError(f"{file}: no vocabulary; {mend}")
        return tokens
    there = [name for name in ("vocab.json", "merges.txt", "vocab.txt", "tokenizer.model") if (folder / name).is_file()]
    readable = [names for names in ([PLAIN[kind]] if kind in PLAIN else PLAIN.values()) if {*names} <= {*there}]
    if not there:
        raise UserError(f"{folder}: no tokenizer; {mend}")
    if not readable or kind in GENERIC:
        raise UserError(f"{folder}: {there[0]} is only a part of a tokenizer, whose tokenizer.json is missing; {mend}")
    file = folder / readable[0][0]
    if file.suffix == ".json":
        return read_object(file)
    lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return {token: number for number, token in enumerate(lines)}


def read_object(file: Path) -> dict:
    """What a JSON file holds; UserError unless that is an object."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: not a JSON file: {error}; fetch the model again") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: no JSON object; fetch the model again")
    return content
