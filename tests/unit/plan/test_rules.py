"""Rules hand each command what its options name: no training texts for test texts, no scores for pairs; and of the
settings what it reads."""

import re
from pathlib import Path

import pytest

from emoscope.plan.code_inputs import code_of, file_of
from emoscope.storage.yaml_files import read_yaml
from rule_texts import FILES, RULES

ROOT = Path(__file__).parents[3]
DEFAULT = read_yaml(ROOT / "config.yaml")
# Options that are named otherwise than what they get: of a rule with several outputs, the first.
RENAMED = {("output", "metrics"), ("output", "model"), ("output", "html"), ("shard", "scatteritem")}
RENAMED |= {("count", "suggestions"), ("tables", "runs"), ("tables", "shards")}
# Files that are named otherwise than what reads or writes them, or than what a page shows of them.
OTHERWISE = {
    *(
        ("audit", "corpus"),
        ("taught", "training"),  # flips of training texts
        ("about", "task"),
        ("corpus", "train"),
        ("history", "training"),
        ("names", "gender"),
    ),
    *(("texts", "test"), ("trains", "train"), ("tests", "test"), ("truths", "truth"), ("histories", "history")),
    *(("train_means", "means"), ("test_means", "means"), ("stop_words", "stopwords"), ("weights", "autoencoder")),
    *(("means", "reference"), ("texts", "reference"), ("all_but", "all_but_summary"), ("pairs", "pair_summary")),
    *(("pairs", "synonyms"), ("balance", "synonyms_balance"), ("scores", "synonyms_scores")),
    *(("summary", "synonyms_summary"), ("effects", "summary"), ("perturbations", "summary"), ("summaries", "summary")),
    *(("control", "findings"), ("table", "ground_truth"), ("ground_truth", "masking")),
    ("published", "table4_gender_pairs"),
    *(("matched_train", "train"), ("matched_validation", "validation"), ("matched_test", "test")),
    *(("matched_audit", "corpus"), ("pair_scores", "scores")),
}
# The rules that may read training texts. Whatever judges a model reads the test texts.
TRAINING_TEXTS = {
    "predict_baselines",
    "score_baselines",
    "split_corpus",  # writes them
    "match_labels",  # numbers their labels anew
    "adopt_model",  # how many are too long for it
    "flip_terms",  # how often its words occur, to match neutral swaps
    "replace_words",
    "summarise_words",  # which classes its words have, beside what they push
    "import_suite",
    "score_by_words",
    "check_description",  # as finetune does
    "finetune",
    "masking_reference",
    "predict",
    "evaluate",
    "assess_ground_truth",
    "prepare_task",
    "train_prompts",
    "train_autoencoder",
    "read_residual",
    "evaluate_autoencoder",
    "twin_autoencoder",
    "flip_training_texts",
    "read_concepts",
    "erase_concept",
    "learn_features",
    "move_features",
    "steer_concept",
}


IN_TURN = {"learned", "judged"}  # settings that code reads one after the other, by no name of their own


@pytest.mark.parametrize("rule", RULES)
def test_every_option_gets_what_it_names(rule):
    options = re.findall(r"--([\w-]+) \{(?:input|output|params|wildcards)\.(\w+)(?::q)?\}", RULES[rule])
    assert {(option, given) for option, given in options if option.replace("-", "_") != given} <= RENAMED


@pytest.mark.parametrize("rule", RULES)
def test_inputs_called_train_and_test_are_that(rule):
    for name, given in re.findall(r"^ {8}(trains?|tests?)=(.*)$", RULES[rule], flags=re.M):
        part = name.removesuffix("s")
        other = {"train": "test", "test": "train"}[part]
        assert f"{part}.parquet" in given and f"{other}.parquet" not in given, (name, given)


def test_training_texts_are_read_where_something_learns_and_nowhere_else():
    assert {rule for rule, text in RULES.items() if re.search(r"\btrain\.parquet", text)} == TRAINING_TEXTS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_files_are_called_like_what_reads_or_writes_them(file):
    """No table of one thing is taken for that of another; names made of wildcards alone can be told by nothing."""
    suffixes = "parquet|csv|json|safetensors"
    named = re.findall(rf'^ {{4,8}}(\w+)=[^"\n]*"([^"\n]+)\.(?:{suffixes})"', file.read_text(), flags=re.M)
    named += re.findall(rf'"(\w+)": f?"([^"\n]+)\.(?:{suffixes})"', file.read_text())
    stems = {(name, re.sub(r"^\{(?:axis|suite)\}_", "", path.rpartition("/")[2])) for name, path in named}
    unlike = {(name, stem) for name, stem in stems if name != stem and not re.fullmatch(r"\{\w+\}", stem)}
    assert unlike <= OTHERWISE


@pytest.mark.parametrize("rule", [name for name, text in RULES.items() if "--seed " in text])
def test_what_a_run_draws_it_draws_by_its_own_seed(rule):
    assert "--seed {params.seed}" in RULES[rule]
    assert re.search(r'^ {8}seed=lambda wildcards: RUNS\[wildcards\.run\]\.entry\["seed"\],$', RULES[rule], flags=re.M)


@pytest.mark.parametrize("rule", [name for name in RULES if name != "write_model_card"])  # which reads no weights
def test_who_reads_a_model_in_a_folder_of_the_users_names_its_files(rule):
    """One that is exchanged may have another date or another content; the folder perhaps the same date."""
    folders = re.findall(r"(?:MODELS\[\w+\.\w+\]|SUBJECTS\[\w+\.\w+\]|\.model)\.(?:folder|base)\b", RULES[rule])
    files = re.findall(r"^ {8}files=(.*)\bown_files(\(\w.*)$", RULES[rule], flags=re.M)
    assert len(folders) == len(files)
    assert files == re.findall(r"^ {8}stamps=(.*)\bown_stamps(\(\w.*)$", RULES[rule], flags=re.M)


def settings_of(rule: str) -> dict[str, set[str]]:
    """By parameter, the settings that a rule hands its command, as its text tells; of a section taken whole, all."""
    text = RULES[rule].partition("    params:\n")[2].partition("    shell:\n")[0]
    found = {}
    for name, value in re.findall(r"^ {8}(\w+)=(.*?)(?=^ {8}\w|\Z)", text, flags=re.M | re.S):
        whole = re.match(r'as_json\(config\["(\w+)"\]', value)
        listed = re.search(r'(?:part_of|seeded)\(\s*"\w+",(.*)\)', value, flags=re.S)
        single = re.findall(r'"\w+": config\["\w+"\]\["(\w+)"\]', value) + ["seed"] * ("seeded(" in value)
        found[name] = {*(DEFAULT[whole[1]] if whole else re.findall(r'"(\w+)"', listed[1]) if listed else []), *single}
    return found


@pytest.mark.parametrize("rule", RULES)
def test_a_command_gets_no_setting_that_its_code_never_reads(rule):
    """A change of such a setting would run it again, for hours if it trains, and make the same."""
    modules = re.findall(r'code_of\("([\w.]+)"\)', RULES[rule])
    code = "\n".join(path.read_text() for path in code_of(*map(file_of, modules)))
    handed = {name for given, names in settings_of(rule).items() if f"**{given}" not in code for name in names}
    assert {name for name in handed - IN_TURN if f'["{name}"]' not in code} == set()


def test_settings_are_found_in_the_text_of_rules():
    assert settings_of("summarise_words")["statistics"] == {"resamples", "confidence", "margin", "seed"}
    assert settings_of("score_baselines") == {"threads": set(), "config": {"max_tokens", "seed"}, "stamps": set()}
    assert settings_of("find_edges")["config"] == {"steps", "checked", "random_orders", "seed"}
    assert settings_of("find_circuits")["config"] == {"pairs", "steps", "checked", "random_orders", "seed"}
    trained = {"tokens", "epochs", "batch_size", "learning_rate", "max_tokens", "precision", "cache_gb", "seed"}
    assert settings_of("train_prompts")["config"] == trained


@pytest.mark.parametrize("rule", ["import_corpus", "download_corpus", "import_suite", "prepare_task"])
def test_what_reads_files_of_the_users_runs_anew_when_they_change(rule):
    assert re.search(r"\n        files?=", RULES[rule]) and "digests=digests_of(" in RULES[rule]


def test_logs_lie_beside_those_of_the_same_corpus_model_or_run():
    folders = {found for text in RULES.values() for found in re.findall(r'^ {8}"logs/([^/"]+)/', text, flags=re.M)}
    assert folders == {"corpora", "models", "tasks", "{run}", "{subject}", "comparison", "reports"}
    assert not [rule for rule, text in RULES.items() if "> {log" in text]  # written >{log:q} everywhere


def test_a_rule_file_says_where_the_constants_come_from_that_another_one_defines():
    """They share one namespace; those of common.smk, and what they are called with, are everybody's."""
    texts = {file.name: file.read_text() for file in FILES if file.name != "common.smk"}
    defined = {
        name: file
        for file, text in texts.items()
        for names in re.findall(r"^([A-Z][A-Z_]+(?:, [A-Z][A-Z_]+)*) = ", text, flags=re.M)
        for name in names.split(", ")
    }
    used = {
        (file, name, source)
        for file, text in texts.items()
        for name, source in defined.items()
        if file != source and re.search(rf"\b{name}\b", text.split('"""', 2)[2])
    }
    unsaid = [
        (file, name)
        for file, name, source in used
        if not re.search(rf"\b{name}\b.*: {source}", texts[file].split('"""')[1])
    ]
    assert len(used) > 4 and unsaid == []
