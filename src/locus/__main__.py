"""The door: it answers what needs no other module, and opens the rest only for a real command."""

import gc
import os
import sys


def main() -> int:
    """Run `locus` with the arguments of the process and return its exit code."""
    arguments = sys.argv[1:]
    # Both answers come before click is imported: it alone takes longer than python needs to start.
    if arguments == ["--version"]:
        from locus.version import VERSION

        return _say(f"locus {VERSION}")
    completing = "_LOCUS_COMPLETE" in os.environ  # a shell asks, and says in the environment what has been typed
    if arguments in ([], ["--help"], ["-h"], ["help"]) and not completing:
        from locus.cli.overview import text

        return _say(text())
    if "--json-stream" in arguments:
        # It promises a last word, also to who ends it while it is still being imported: that signal waits until then.
        import signal

        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    # Importing makes many objects and no garbage; looking for some after every 700 takes longer than some modules do.
    gc.set_threshold(20_000)
    try:
        from locus.cli.main import run
    except KeyboardInterrupt:
        return 130
    code = run(arguments)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # its reader has gone, or it was closed; what came of the command is in the code
    # A command that is over has closed what it opened; taking the interpreter apart takes longer than many commands.
    os._exit(code)


def _say(text: str) -> int:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as e:
        # The reader has gone, or the disk is full. Python would complain about the flush at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(e, BrokenPipeError):
            return 141
        sys.stderr.write(f"The answer cannot be written: {e.strerror}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
