"""Jobs for a warm process: commands that hand over the module `job`, and whether anybody is there."""

from pathlib import Path

WORKFLOW = Path(__file__).parents[1] / "workflow"
COMMAND = ["python", "-c", "from emoscope.warm.client import hand_over; hand_over('job'); import job"]


def listens(name: str) -> bool:
    """Whether a warm process of this name waits for jobs; sockets of running jobs bear its name, too."""
    sockets = (line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:])
    return any(row[3] == "00010000" and row[-1] == f"@{name}" for row in sockets)  # __SO_ACCEPTCON
