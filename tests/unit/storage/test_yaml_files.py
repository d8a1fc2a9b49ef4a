"""Reading YAML fast is reading it as PyYAML does."""

import pytest
import yaml

from emoscope.storage.yaml_files import read_yaml
from project import ROOT

FILES = ["config.yaml", "workflow/schemas/config.schema.yaml", "data/reference/claims.yaml"]


@pytest.mark.parametrize(
    "file", [*FILES, *(f"data/lexicons/{p.name}" for p in (ROOT / "data/lexicons").glob("*.yaml"))]
)
def test_what_is_read_is_what_pyyaml_reads(file):
    assert read_yaml(ROOT / file) == yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


def test_a_tag_makes_no_object(tmp_path):
    (tmp_path / "evil.yaml").write_text("!!python/object/apply:os.getcwd []")
    with pytest.raises(yaml.YAMLError):
        read_yaml(tmp_path / "evil.yaml")
