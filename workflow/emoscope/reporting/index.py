"""The page that leads to all others: what was run, what was found in ten lines, and how the claims fared."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from bs4 import BeautifulSoup

from emoscope.reporting.documents import links_to
from emoscope.reporting.html import badge
from emoscope.reporting.templates import fill
from emoscope.reporting.verdict_words import ON_CLAIMS
from emoscope.storage.files import write_text
from emoscope.storage.provenance import page_facts

LONGEST = 220  # characters of what a page found; more would not be read
LINES = 10  # of what was found; the others are folded
PICTURED = 60  # pages; the pictures of more would make the index too large to open
FIRST = ("ground_truth", "claims")  # pages whose lines come before those of the experiments
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“])")


@dataclass(frozen=True)
class Card:
    """What the index says of a page: `name` is that of its file, `question` what it asks, `found` the beginning of its
    headline; empty where the page has no such part."""

    name: str
    subject: str
    href: str
    title: str
    question: str
    found: str
    thumbnail: str


def render_index(
    pages: list[Path], on_demand: list[Path], claims: Path, names: list[str], documents: list[Path], output: Path
) -> None:
    """Write the page that leads to all others, run by run, with pictures.

    `names` are those of the pages and claims, `documents` what explains them. Of the pages `on_demand`, those that are
    there are linked and not quoted: they may be made anew without the index.
    """
    cards = [read_card(path, output, pictured=len(pages) <= PICTURED) for path in pages]
    asked = [read_card(path, output) for path in on_demand if path.is_file()]
    lines = leading_first(cards)
    groups = by_subject(cards)
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
        lines=lines[:LINES],
        groups=groups,
        folded=by_subject(lines[LINES:]),
        asked=by_subject(asked),
        filters={
            "run": [name for name in groups if name],
            "page": list(dict.fromkeys(card.title for card in [*cards, *asked] if card.subject)),
        },
        verdicts=[(badge(verdict), int(verdicts[verdict])) for verdict in ON_CLAIMS if verdict in verdicts],
        impossible=judged.loc[impossible, "id"].nunique(),
        claims=os.path.relpath(claims, output.parent),
        documents=links_to(documents, output),
        provenance=page_facts({"pages": list(map(str, pages)), "claims": str(claims)}, {}, names),
    )
    write_text(index, output)


def read_card(page: Path, index: Path, pictured: bool = True) -> Card:
    """Take from a page its title, the sentence below it, its headline and, if `pictured`, its first figure."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    headline, image = soup.select_one(".headline"), soup.select_one("figure img")
    question = soup.h1.find_next("p")
    kind, run = soup.body["data-kind"], soup.body["data-run"]
    return Card(
        name=page.stem,
        subject=f"{kind[:1].upper()}{kind[1:]} {run}" if run else "",
        href=os.path.relpath(page, index.parent),
        title=soup.h1.get_text(strip=True),
        question=" ".join(question.get_text().split()) if question else "",
        found=beginning(" ".join(headline.get_text().split())) if headline else "",
        thumbnail=image["src"] if image and pictured else "",
    )


def leading_first(cards: list[Card]) -> list[Card]:
    """Those that found something: first what was planted, then the claims, then the others in the order of pages."""
    found = [card for card in cards if card.found]
    return sorted(found, key=lambda card: FIRST.index(card.name) if card.name in FIRST else len(FIRST))


def by_subject(cards: Iterable[Card]) -> dict[str, list[Card]]:
    """Cards under what they are about."""
    groups: dict[str, list[Card]] = {}
    for card in cards:
        groups.setdefault(card.subject, []).append(card)
    return groups


def beginning(text: str) -> str:
    """As many sentences as fit; of a first one that is too long, as many parts between semicolons, but one at least."""
    first, *others = SENTENCE.split(text)
    if len(first) <= LONGEST:
        return " ".join([first, *_fitting(others, LONGEST - len(first) - 1)])
    part, *parts = first.split("; ")
    return "; ".join([part, *_fitting(parts, LONGEST - len(part) - 2)]) + " ..." if parts else first


def _fitting(parts: Iterable[str], room: int) -> Iterable[str]:
    for part in parts:
        room -= len(part) + 2
        if room < 0:
            return
        yield part
