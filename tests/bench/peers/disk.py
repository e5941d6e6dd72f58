"""disk.py - what the disk gives at this moment: 4 KiB appended and synced, one after the other, a second."""

import os
import time


def append_rate(folder, seconds=0.5):
    path = os.path.join(folder, "append")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    block, count, start = os.urandom(4096), 0, time.monotonic()
    while (took := time.monotonic() - start) < seconds:
        os.write(fd, block)
        os.fdatasync(fd)
        count += 1
    os.close(fd)
    os.unlink(path)
    return count / took
