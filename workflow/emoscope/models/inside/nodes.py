"""What circuits are made of."""

from emoscope.storage.names import NONE

Node = tuple[str, int, int]  # site, block, head; NONE for the head of a feed-forward


def nodes_in(blocks: int, heads: int) -> list[Node]:
    """Every head, block by block, then every feed-forward."""
    places = [("head", block, head) for block in range(blocks) for head in range(heads)]
    return [*places, *(("feed_forward", block, NONE) for block in range(blocks))]
