"""What a storage's plugin has to do for folders that other machines make. Imported by the Snakefile: nothing heavy."""

from typing import Any


def forget_missing_folders(kind: Any) -> None:
    """Have a plugin's objects look again for a folder that was not there; they know later what they once found.

    kind: the class `StorageObject` of snakemake-storage-plugin-s3, which up to 0.3.6 remembers for good that a folder
    is not there, so that Snakemake misses a model that a job on another machine has made.
    """
    look = kind.is_dir

    def is_dir(self: Any) -> bool:
        self._is_dir = self._is_dir or None
        return look(self)

    kind.is_dir = is_dir
