"""What a process that holds keys or tokens leaves behind: files for its owner only, and no dump of its memory."""

import os
import resource


def keep_private() -> None:
    """Let every new file be readable by its owner only, and let a crash write no core dump."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
