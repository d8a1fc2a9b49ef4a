"""`python -m emoscope` is the console command."""

from emoscope.cli import main

main()
