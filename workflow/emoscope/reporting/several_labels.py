"""How the words of a page are to be read where a text may have several labels."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from emoscope.reporting.passages import passage


def is_several(audit: Mapping) -> bool:
    """Whether the texts of a corpus, by its audit, may have several labels, or none."""
    return bool(audit.get("multilabel"))


def how_to_read(audit: Mapping, page: str) -> Markup:
    """What a page's words mean here; nothing where each text has one label."""
    return passage("several_labels", "told", rest=passage("several_labels", page)) if is_several(audit) else Markup()


def how_to_read_groups(groups: Sequence[str]) -> Markup:
    """What a comparison's words mean in groups of runs whose texts may have several labels; nothing without any."""
    return passage("several_labels", "comparison", groups=groups) if groups else Markup()
