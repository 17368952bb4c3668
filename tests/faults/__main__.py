"""`python -m tests.faults long`: the long run of the fault matrix. See campaign.py."""

import sys

from tests.faults.campaign import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
