"""Where the repository is hosted, and how a pull request is made there. One file per forge, one row in `table`."""
