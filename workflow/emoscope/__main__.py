"""`python -m emoscope` is the console command; a workflow's warm process may run it instead."""

from emoscope.warm.client import hand_over

hand_over("emoscope.cli")

from emoscope.cli import main  # noqa: E402 - a job that is handed over does not need it

main()
