"""httpx without its command line program, for which it would import rich and pygments: half of its import time.

It does without when that cannot be imported, so for a moment it cannot.
"""

import sys

_PROGRAM = "httpx._main"

if _PROGRAM not in sys.modules:
    sys.modules[_PROGRAM] = None  # type: ignore[assignment]  # None says: not to be found
    try:
        import httpx
    finally:
        del sys.modules[_PROGRAM]
else:
    import httpx

__all__ = ["httpx"]
