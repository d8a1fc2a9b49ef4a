"""Where this workflow lies; no rules. Read before its package can be found."""

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path


def checkout_of(rules):
    """The folder of this workflow, given that of its rules; if they are read from a git reference, a copy of that."""
    if not hasattr(rules, "ref"):
        return Path(rules.get_path_or_uri(secret_free=True)).parents[1]
    git = ["git", "-C", str(rules.repo_path if hasattr(rules, "repo_path") else rules.hosted_repo.repo_clone)]
    commit = subprocess.run([*git, "rev-parse", rules.ref], check=True, capture_output=True, text=True).stdout.strip()
    folder = Path(".snakemake", f"emoscope-{commit}")
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        packed = subprocess.run([*git, "archive", commit], check=True, capture_output=True).stdout
        with (
            tempfile.TemporaryDirectory(dir=folder.parent) as scratch,
            tarfile.open(fileobj=io.BytesIO(packed)) as files,
        ):
            files.extraction_filter = getattr(tarfile, "data_filter", None)  # Python before 3.11.4 has none
            files.extractall(Path(scratch, folder.name))
            try:
                Path(scratch, folder.name).replace(folder)
            except OSError:
                if not folder.exists():  # else another start was faster
                    raise
    return folder.absolute()
