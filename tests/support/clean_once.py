"""Clean one tree in a process of its own: `python -m tests.support.clean_once ROOT`.

Prints one JSON object: `peak` memory in bytes, the result's `total` and `differences`.
"""

import json
import resource
import sys
from pathlib import Path

from tests.support.temp_trees import Tree

if __name__ == "__main__":
    result = Tree(Path(sys.argv[1])).clean()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"peak": peak, "total": result["total"], "differences": result["differences"]}))
