"""What keeps the hub from answering is told in one line, and a full disk is not taken for it."""

import errno
import os

import pytest

from emoscope.errors import UserError
from emoscope.storage.hub import asking_hub


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_is_not_the_hub(number):
    reason = OSError(number, os.strerror(number))
    for raised in (reason, RuntimeError("no answer")):
        with pytest.raises(type(raised)) as told, asking_hub("owner/name"):
            raise raised from (None if raised is reason else reason)
        assert not isinstance(told.value, UserError) and "HF_HOME" in told.value.__notes__[0]


@pytest.mark.parametrize(
    "reason", [ConnectionError("out of reach"), PermissionError(errno.EACCES, "Permission denied")]
)
def test_any_other_reason_is_told_of_the_repository(reason):
    told = r"^the hub did not give owner/name: .*(reach|denied).*; take another$"
    with pytest.raises(UserError, match=told), asking_hub("owner/name", "take another"):
        raise reason
