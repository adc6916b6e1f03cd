"""``python -m LGETextDetectLib``: the command line."""

import sys

from LGETextDetectLib.cli import main

if __name__ == "__main__":  # batch workers import this file again
    sys.exit(main())
