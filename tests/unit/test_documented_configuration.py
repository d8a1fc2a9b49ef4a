"""docs/configuration.md: every key, from the schema."""

import importlib.util
from math import ceil
from pathlib import Path

import numpy as np
import yaml

from emoscope.statistics.bounded import bounded_test
from emoscope.statistics.rates import excess_interval
from emoscope.statistics.sample_size import clusters_for_rate, texts_for_no_change

ROOT = Path(__file__).parents[2]


def written() -> str:
    spec = importlib.util.spec_from_file_location("write_configuration", ROOT / "docs" / "write_configuration.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.configuration(yaml.safe_load(module.SCHEMA.read_text(encoding="utf-8")))


def test_the_page_is_what_the_schema_says():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == written(), "run python docs/write_configuration.py"


def test_each_key_of_the_schema_has_a_meaning_on_the_page():
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))
    page = written()
    for name in keys(schema):
        assert f"`{name}`" in page or f".{name}`" in page or f"## {name}" in page, name


def test_a_list_is_told_to_hold_any_of_its_values_and_a_choice_to_be_one():
    assert "Any of `zero`, `mean`." in written() and "One of `all`, `screened`." in written()


def test_the_defaults_told_are_those_of_the_embedded_configuration():
    """But for names of models, which no schema knows, and tasks whose own defaults the configuration writes out."""
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))
    embedded = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    others = {key for key, told, set_there in defaults(schema, embedded) if told != set_there}
    assert others == {"companions", "induction.control", "prompting.tasks"}
    assert "`companions` and `induction.control`" in written()


def test_as_many_texts_are_told_to_be_needed_as_the_tests_ask_for_if_nothing_changes():
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))
    probing, features = (schema["properties"][name]["properties"] for name in ("probing", "features"))
    margin = schema["properties"]["statistics"]["properties"]["margin"]["default"]
    change, sentences = texts_for_no_change(margin), int(clusters_for_rate(0, margin))
    rates = fewest(lambda n: excess_interval(np.zeros(n), np.zeros(n), np.arange(n)).high < margin)
    interval = fewest(lambda n: bounded_test(np.zeros(n), np.arange(n), margin).high < margin)
    assert f"Fewer than {2 * change} of these ({change} and their flips)" in probing["judged"]["description"]
    assert f"active in fewer than {interval} of them" in features["judged"]["description"]
    assert f"Fewer than {change} cannot" in features["pairs"]["description"]
    said, table = (" ".join((ROOT / "docs" / page).read_text().split()) for page in ("statistics.md", "your-own.md"))
    assert f"{change} texts for a mean change" in said and f"{rates} for the difference of two rates" in said
    assert f"{sentences} sentences" in said and f"it is {interval}." in said
    about = [10 * ceil(count / 10) for count in (change, rates, interval, 2 * change)]
    assert about == [190, 190, 230, 380] and table.count("| about 190 ") == 4
    assert "| about 230 in which it is active" in table and "judged: 380}" in table


def fewest(shown) -> int:
    return next(count for count in range(100, 400) if shown(count))


def defaults(schema: dict, embedded: dict, prefix: str = ""):
    """The keys that both a schema and a configuration give, with the default and what is set."""
    for name, entry in schema["properties"].items():
        if name in embedded and "default" in entry and not isinstance(entry["default"], dict):
            yield prefix + name, entry["default"], embedded[name]
        if "properties" in entry and isinstance(embedded.get(name), dict):
            yield from defaults(entry, embedded[name], f"{prefix}{name}.")


def keys(entry: object) -> set[str]:
    """Every name under `properties`, anywhere in the schema."""
    if isinstance(entry, list):
        return set().union(*map(keys, entry))
    if not isinstance(entry, dict):
        return set()
    own = {name for name, below in entry.get("properties", {}).items() if isinstance(below, dict)}
    return own.union(*(keys(below) for below in entry.values())) - {"source"}
