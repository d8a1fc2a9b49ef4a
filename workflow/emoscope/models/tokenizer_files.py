"""What the files of a tokenizer say, read without it. Imported by the Snakefile: nothing heavy in here."""

import json
from pathlib import Path

from emoscope.errors import UserError
from emoscope.models.families import Family

_BPE = dict.fromkeys(("GPT2Tokenizer", "RobertaTokenizer", "DebertaTokenizer", "GPTNeoXTokenizer"), "BPE")
_WORD_PIECE = dict.fromkeys(("BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer"), "WordPiece")
_UNIGRAM = dict.fromkeys(("XLMRobertaTokenizer", "AlbertTokenizer", "DebertaV2Tokenizer"), "Unigram")
TYPES = _BPE | _WORD_PIECE | _UNIGRAM  # what a class makes of a vocabulary, whatever it was
PLAIN = {  # instead of tokenizer.json
    **dict.fromkeys(_BPE, ("vocab.json", "merges.txt")),
    **dict.fromkeys(_WORD_PIECE, ("vocab.txt",)),
}
GENERIC = ("", "PreTrainedTokenizer", "TokenizersBackend")  # classes with no special tokens of their own


def check_tokenizer_files(folder: Path, config: dict, family: Family, rows: int | None) -> None:
    """Check that a model folder's tokenizer can be read, can pad, and knows no token beyond the embedding's rows.

    `config` is the model's; without `rows`, tokens are not compared. UserError at the first mistake.
    """
    settings = _optional(folder / "special_tokens_map.json") | _optional(folder / "tokenizer_config.json")
    kind = settings.get("tokenizer_class") or config.get("tokenizer_class") or family.tokenizer or ""
    kind = kind.removesuffix("Fast")
    whole = _optional(folder / "tokenizer.json")
    tokens = _tokens_of(whole, folder, kind) if (folder / "tokenizer.json").is_file() else _plain_tokens(folder, kind)
    try:
        added = {token["content"]: int(n) for n, token in (settings.get("added_tokens_decoder") or {}).items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(f"{folder}: tokenizer_config.json has a spoilt added_tokens_decoder; {_mend(folder)}") from None
    tokens = added | tokens
    if kind in GENERIC and not (settings.get("pad_token") or settings.get("eos_token") or whole.get("padding")):
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


def _tokens_of(whole: dict, folder: Path, kind: str) -> dict[str, int]:
    """Each token's number in a tokenizer.json, if a class of this kind reads it as what it is."""
    try:
        model = whole["model"]
        found, vocabulary = model.get("type"), model["vocab"]
        if isinstance(vocabulary, list):  # Unigram: [token, score]
            vocabulary = {token: number for number, (token, _) in enumerate(vocabulary)}
        tokens = vocabulary | {token["content"]: token["id"] for token in whole.get("added_tokens", [])}
    except (AttributeError, KeyError, TypeError, ValueError):
        tokens = {}
    if not tokens or not all(isinstance(number, int) for number in tokens.values()):
        raise UserError(f"{folder}: no vocabulary in tokenizer.json; {_mend(folder)}")
    if found and found != (due := TYPES.get(kind, found)):
        raise UserError(
            f"{folder}: tokenizer.json is of type {found}, but {kind}, which would read it, makes it {due}; name its "
            "own class (tokenizer_class) in tokenizer_config.json, such as PreTrainedTokenizerFast"
        )
    return tokens


def _plain_tokens(folder: Path, kind: str) -> dict[str, int]:
    """Each token's number in the older files, if a class of this kind reads them."""
    there = [name for name in ("vocab.json", "merges.txt", "vocab.txt", "tokenizer.model") if (folder / name).is_file()]
    if not there:
        raise UserError(f"{folder}: no tokenizer; {_mend(folder)}")
    readable = [names for names in ([PLAIN[kind]] if kind in PLAIN else PLAIN.values()) if {*names} <= {*there}]
    if not readable or kind in GENERIC:
        needed = f"{kind or 'its class'} reads {' and '.join(PLAIN.get(kind, ('tokenizer.json',)))}"
        raise UserError(f"{folder}: {', '.join(there)} alone is no tokenizer: {needed}; {_mend(folder)}")
    file = folder / readable[0][0]
    if file.suffix == ".json":
        return read_object(file)
    lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return {token: number for number, token in enumerate(lines)}


def _mend(folder: Path) -> str:
    return f"save it there with `tokenizer.save_pretrained({str(folder)!r})`"


def _optional(file: Path) -> dict:
    return read_object(file) if file.is_file() else {}


def read_object(file: Path) -> dict:
    """What a JSON file holds; UserError unless that is an object."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: not a JSON file: {error}; fetch the model again") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: no JSON object; fetch the model again")
    return content
