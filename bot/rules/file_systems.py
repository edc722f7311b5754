"""Finds the kind of file system that a file is on, in the text of `/proc/self/mounts`. Pure."""

import re
from pathlib import PurePosixPath

NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "afs", "fuse.sshfs")
"""File systems of other machines: SQLite's docs say that its locks can't be relied on there ("Over a Network")."""
_ESCAPED = re.compile(r"\\([0-7]{3})")


def file_system_of(path: PurePosixPath, mounts: str) -> str:
    """The type of the file system that an absolute path is on; empty if the text does not say."""
    longest, found = -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = PurePosixPath(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[1]))
        # The last one that is mounted at a place hides those before.
        if path.is_relative_to(point) and len(point.parts) >= longest:
            longest, found = len(point.parts), fields[2]
    return found
