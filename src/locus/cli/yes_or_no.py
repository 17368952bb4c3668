"""A question that a person answers with yes or no at the terminal."""

import signal
import threading

import click


def asked(question: str) -> bool:
    """Whether the answer is yes; Enter alone is no. Raises click.Abort when they press Ctrl+C, and at the end of input.

    Inside of a coroutine too: asyncio takes the first Ctrl+C for the wish to cancel its task, which stands still here
    and would not hear of it.
    """
    if threading.current_thread() is not threading.main_thread():
        return click.confirm(question, err=True)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return click.confirm(question, err=True)
    finally:
        signal.signal(signal.SIGINT, before)
