"""Clean one tree in a process of its own: `python -m tests.support.clean_once ROOT`.

Prints one JSON object: `peak` memory in bytes, the result's `total` and `differences`.
"""

import json
import sys
from pathlib import Path

from tests.support.temp_trees import Tree

if __name__ == "__main__":
    result = Tree(Path(sys.argv[1])).clean()
    # getrusage(2) also counts what the parent had when it started us: that would hide a growth up to its size
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024
    sys.stdout.write(json.dumps({"peak": peak, "total": result["total"], "differences": result["differences"]}))
