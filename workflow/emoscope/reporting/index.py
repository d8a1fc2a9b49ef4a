"""The page that leads to all others: what was run, what was found in a line a page, and how the claims fared."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from bs4 import BeautifulSoup

from emoscope.reporting.html import badge
from emoscope.reporting.templates import fill
from emoscope.reporting.verdict_words import ON_CLAIMS
from emoscope.storage.files import write_text
from emoscope.storage.provenance import page_facts

LONGEST = 220  # characters of what a page found; more would not be read
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


@dataclass(frozen=True)
class Card:
    """What the index says of a page: `question` is what it asks, `found` the beginning of its headline; empty where the
    page has no such part."""

    subject: str
    href: str
    title: str
    question: str
    found: str
    thumbnail: str


def render_index(pages: list[Path], claims: Path, names: list[str], output: Path) -> None:
    """Write the page that leads to all others, run by run, with pictures; `names` are those of the pages and claims."""
    groups: dict[str, list[Card]] = {}
    for path in pages:
        card = read_card(path, output)
        groups.setdefault(card.subject, []).append(card)
    judged = pd.read_csv(claims)
    impossible = judged["impossible"].astype(bool)
    verdicts = judged.loc[~impossible, "verdict"].value_counts()
    index = fill(
        "index.html.j2",
        title="emoscope: reports",
        run="",
        kind="",
        script="",
        adopted=[],
        groups=groups,
        filters={
            "run": [name for name in groups if name],
            "page": list(dict.fromkeys(card.title for cards in groups.values() for card in cards if card.subject)),
        },
        verdicts=[(badge(verdict), int(verdicts[verdict])) for verdict in ON_CLAIMS if verdict in verdicts],
        impossible=judged.loc[impossible, "id"].nunique(),
        claims=os.path.relpath(claims, output.parent),
        provenance=page_facts({"pages": list(map(str, pages)), "claims": str(claims)}, {}, names),
    )
    write_text(index, output)


def read_card(page: Path, index: Path) -> Card:
    """Take from a page its title, the sentence below it, its headline and its first figure."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    headline, image = soup.select_one(".headline"), soup.select_one("figure img")
    question = soup.h1.find_next("p")
    kind, run = soup.body["data-kind"], soup.body["data-run"]
    return Card(
        subject=f"{kind[:1].upper()}{kind[1:]} {run}" if run else "",
        href=os.path.relpath(page, index.parent),
        title=soup.h1.get_text(strip=True),
        question=" ".join(question.get_text().split()) if question else "",
        found=beginning(" ".join(headline.get_text().split())) if headline else "",
        thumbnail=image["src"] if image else "",
    )


def beginning(text: str, longest: int = LONGEST) -> str:
    """As many sentences as fit; of a first one that is too long, as many parts between semicolons, but one at least."""
    first, *others = SENTENCE.split(text)
    if len(first) <= longest:
        return " ".join([first, *_fitting(others, longest - len(first) - 1)])
    part, *parts = first.split("; ")
    return "; ".join([part, *_fitting(parts, longest - len(part) - 2)]) + " ..." if parts else first


def _fitting(parts: Iterable[str], room: int) -> Iterable[str]:
    for part in parts:
        room -= len(part) + 2
        if room < 0:
            return
        yield part
