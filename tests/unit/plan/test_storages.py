"""Folders in a storage, made by jobs on other machines."""

from emoscope.plan.storages import forget_missing_folders


class Remembered:
    """As snakemake-storage-plugin-s3 0.3.6 does: the first look counts for ever."""

    def __init__(self) -> None:
        self.files, self.looks, self._is_dir = [], 0, None

    def is_dir(self) -> bool:
        if self._is_dir is None:
            self.looks += 1
            self._is_dir = bool(self.files)
        return self._is_dir


def test_a_folder_that_was_not_there_is_found_once_it_is_and_then_remembered():
    kind = type("Own", (Remembered,), {})
    forget_missing_folders(kind)
    folder = kind()
    assert not folder.is_dir() and not folder.is_dir()
    folder.files.append("model.safetensors")
    assert folder.is_dir() and folder.is_dir() and folder.looks == 3
