"""Start one command and print what it took, as JSON: a launcher so small that its own memory does not count.

The system remembers the most memory of a process from before it became another program, so the one that starts it
has to be smaller than what is measured.
"""

import os
import sys
from time import perf_counter

began = perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
wall = perf_counter() - began
print(f'{{"wall": {wall}, "cpu": {usage.ru_utime + usage.ru_stime}, "peak_mib": {usage.ru_maxrss / 1024}}}')
sys.exit(os.waitstatus_to_exitcode(status))
