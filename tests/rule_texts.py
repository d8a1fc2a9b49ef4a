"""The files of the workflow's rules, and the text of each rule by its name."""

import re
from pathlib import Path

FILES = sorted((Path(__file__).parents[1] / "workflow" / "rules").glob("*.smk"))
RULES = {
    found[1]: found[0]
    for file in FILES
    for found in re.finditer(r"^rule (\w+):.*?(?=^\S|\Z)", file.read_text(), flags=re.M | re.S)
}
