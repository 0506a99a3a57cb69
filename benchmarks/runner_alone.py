"""One playbook through ansible-runner and nothing else: the peer of `itcare run`."""

import shutil
import sys
import tempfile
from pathlib import Path


def main() -> int:
    import ansible_runner

    inventory, playbook = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(prefix="runner-alone-"))
    try:
        runner = ansible_runner.run(private_data_dir=str(folder), inventory=inventory, playbook=playbook, quiet=True)
        return 0 if runner.status == "successful" else 1
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
