"""The hash by which files are known."""

import hashlib

from emoscope.storage.hashes import digests


def test_what_is_no_file_has_no_hash(tmp_path):
    (tmp_path / "mine.csv").write_bytes(b"text,label\n")
    paths = [str(tmp_path), str(tmp_path / "mine.csv"), str(tmp_path / "absent.csv")]
    assert digests(paths) == [hashlib.sha256(b"text,label\n").hexdigest()]
