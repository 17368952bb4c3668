"""The table of commands and the first page of help, as literals: `locus --help` imports nothing else."""

import os
import sys

# Section, then its commands in the order in which people need them. A command is the module of the same name
# in locus.cli.commands; its attribute `command` is imported when it is called.
SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Start here",
        (
            ("demo", "Watch a sprint being worked off in a temporary folder"),
            ("up", "Start a control plane on this machine and sign in to it"),
            ("init", "Prepare a repository: checks, instructions, limits"),
            ("login", "Sign in to a control plane"),
        ),
    ),
    (
        "Work",
        (
            ("run", "Let an agent work off the tasks of the active sprint"),
            ("status", "See the sprint, the agents and what waits for you"),
            ("tasks", "List, write, order and judge tasks"),
            ("sprints", "Plan, start and complete sprints"),
            ("docs", "Read docs, keep them as files here, and push files as docs"),
            ("parked", "See, adopt or drop work that did not get to the remote"),
            ("replay", "Do a recorded run again, without asking a model"),
        ),
    ),
    (
        "Beside you",
        (
            ("plan", "Have an agent propose a sprint, and decide about it"),
            ("discuss", "Think something through with an agent, and keep what comes of it"),
            ("insights", "Read, edit and export what discussions came to"),
            ("exec", "Have an agent do something in your checkout, here and now"),
            ("index", "See the map of the codebase that prompts get, and ask it"),
            ("artifacts", "See what agents wrote down, and make a plan or a doc of it"),
            ("learn", "Write down what every agent should know before its task"),
            ("sessions", "See what you asked agents, and go on with it or forget it"),
        ),
    ),
    (
        "Judge",
        (
            ("review", "Have a pull request, a branch or local changes reviewed by an agent"),
            ("iterate", "Take review comments and failed checks back to the agent that did the work"),
            ("evidence", "See what was measured for a task, and verify what is kept of it"),
            ("revert", "Undo one task of a sprint's branch by a new commit, and send it back"),
            ("bisect", "Find the task of a sprint's branch that broke something"),
            ("checks", "See the checks, and say which of them no task may do without"),
            ("review-hold", "Look at changes that are held for a person; let them through or send them back"),
        ),
    ),
    (
        "This machine",
        (
            ("doctor", "Check git, agents, rights and server; say how to mend what is amiss"),
            ("egress", "See what left this machine, and prove that the record of it is whole"),
            ("config", "Read and change settings, and see where each comes from"),
            ("upgrade", "Upgrade Locus with the installer that installed it"),
            ("completion", "Complete commands and flags in bash, zsh or fish"),
            ("logout", "Forget the key of a control plane"),
            ("telegram", "Run and judge work from your phone, through a bot of your own"),
            ("service", "Keep the bot, a worker or the server at work after you log out"),
        ),
    ),
    (
        "Operate a server",
        (
            ("serve", "Run the control plane in the foreground"),
            ("migrate", "Bring a database up to date"),
            ("down", "Stop what `locus up` started"),
            ("audit", "Verify or export the chain of everything that happened"),
        ),
    ),
)

SUMMARIES: dict[str, str] = {name: summary for _, commands in SECTIONS for name, summary in commands}

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("locus demo", "see it work, in a minute"),
    ('locus plan "People can reset their password"', "have a sprint proposed"),
    ("locus run", "let an agent work it off"),
    ("locus status --watch", "look on"),
    ('locus exec "Why is this test slow?" --read-only', "ask about the code in front of you"),
)

GLOBAL_FLAGS: tuple[tuple[str, str], ...] = (
    ("--server URL", "Control plane to talk to (LOCUS_SERVER)"),
    ("--workspace NAME", "Workspace by name, prefix or id (LOCUS_WORKSPACE)"),
    ("--json", "Answer with one JSON document"),
    ("-q, --quiet", "Say only what was asked for"),
    ("-C DIR", "Act as if started in DIR"),
    ("-h, --help", "Show help; also after a command"),
)


WIDEST = 100  # columns, as the help of a command has at most
LEAST = 20  # columns that a text keeps, however narrow the terminal is


def text() -> str:
    """The first page of help, in lines that fit into the terminal; for a pipe nothing is broken."""
    try:
        room = min(WIDEST, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (AttributeError, OSError, ValueError):
        room = sys.maxsize
    width = max(len(name) for name, _ in (*SUMMARIES.items(), *GLOBAL_FLAGS)) + 4
    longest = max(len(line) for line, _ in EXAMPLES) + 4
    beside = room - longest > LEAST  # else what an example does stands below it
    lines = _folded(
        "", "Locus: project management for coding agents. Planning on a server, execution on your machine.", room
    )
    lines += ["", "Usage: locus COMMAND [ARGUMENTS]"]
    for title, commands in SECTIONS:
        lines += ["", f"{title}:"]
        for name, summary in commands:
            lines += _folded(f"  {name:<{width - 2}}", summary, room)
    lines += ["", "Everywhere:"]
    for flags, does in (*GLOBAL_FLAGS, ("--version", "Show the version")):
        lines += _folded(f"  {flags:<{width - 2}}", does, room)
    lines += ["", "Examples:"]
    for line, does in EXAMPLES:
        lines += _folded(f"  {line:<{longest - 2}}", does, room) if beside else [f"  {line}", f"      {does}"]
    return "\n".join([*lines, "", "`locus COMMAND --help` tells more about one of them."])


def _folded(head: str, text: str, room: int) -> list[str]:
    """The text after its head, in lines that fit into `room` columns, one below the other."""
    lines = [head]
    for word in text.split():
        if len(lines[-1]) > len(head) and len(lines[-1]) + 1 + len(word) > max(room, len(head) + LEAST):
            lines.append(" " * len(head))
        lines[-1] += word if len(lines[-1]) == len(head) else f" {word}"
    return lines
