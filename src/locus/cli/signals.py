"""Which signals end a command in order, and the exit code that it then has."""

import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BY_SIGNAL = 128  # a shell's exit code for what a signal has ended is this plus its number: 130, 143, 129


def heeded() -> tuple[signal.Signals, ...]:
    """The signals that end a command. A closed terminal does not where `nohup` has started it."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return tuple(one for one in ENDING if one != signal.SIGHUP or not ignored)
