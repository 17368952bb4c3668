"""Consent: asked once, in words that say what an agent can reach, and kept in the user's own settings."""

import sys
from shutil import get_terminal_size
from textwrap import fill

import click

from locus.cli import yes_or_no
from locus.cli.output import is_terminal
from locus.local.errors import LocalError
from locus.local.sandbox import Network, Policy
from locus.local.settings import BY_NAME, Settings, set_user

WITHOUT_SANDBOX = """\
An agent works on this machine with your rights. It works in a private worktree and Locus gives it no keys but the
model provider's, but nothing stops it from reading your files or running programs as you. Whoever can edit a task can
influence it. Use an account or a machine that holds nothing you would not show the agent."""

IN_SANDBOX = """\
An agent works on this machine in a sandbox. It can write to a tree of its own and start the programs of your system;
of your home, your other projects and your keys it sees nothing. It can still use the login of its own provider, read
the history of this repository, and connect to {reach}.
Whoever can edit a task can influence it, and what it writes is pushed to your remote."""

REACH = {
    Network.OPEN: "whatever your network reaches, services on this machine included",
    Network.PROVIDER: "the service of its model, and the hosts in `network_hosts`",
}

WITHOUT_SANDBOX_HERE = """\
An agent works in this checkout with your rights. Locus gives it no keys but the model provider's, but nothing stops it
from reading your files or running programs as you. What is in the files it reads can influence it. Use an account or a
machine that holds nothing you would not show the agent."""

IN_CHECKOUT = """\
An agent works in this checkout, in a sandbox. It can {change} and start the programs of your system; of
your home, your other projects and your keys it sees nothing, and it cannot write to .git. It can still use the login of
its own provider, read the history of this repository, and connect to {reach}."""

CHANGE = {True: "read every file of it, change none", False: "read and change every file of it"}

WIDEST = 100  # columns of a text that is easy to read

WITHOUT_TERMINAL = "Agree once at a terminal with `locus {command}`, or say so here: locus {command} --yes"


def make_sure(
    settings: Settings, policy: Policy | None, *, yes: bool, command: str = "run", read_only: bool | None = None
) -> None:
    """Return when the person has agreed to what agents can reach, now or earlier; no policy is no sandbox.

    `command` is what they typed. `read_only` says how it works in their own checkout; None is in a tree of its own. Who
    agreed to agents without a sandbox has agreed to less. Raises LocalError when they have not, and cannot be
    asked or said no.
    """
    if settings.consent or (policy is not None and settings.sandbox_consent):
        return
    if not yes:
        click.echo(_fitting(_explanation(policy, read_only)), err=True)
        if not (is_terminal() and is_terminal(sys.stdin)):
            remedy = WITHOUT_TERMINAL.format(command=command)
            raise LocalError("Nobody has agreed to that on this machine yet.", remedy=remedy)
        if not yes_or_no.asked("Let agents work like that on this machine?"):
            raise LocalError("Nothing was started.")
        set_user(BY_NAME["consent" if policy is None else "sandbox_consent"], True)


def _fitting(text: str) -> str:
    """The text in lines that fit into the terminal; as it is where there is none."""
    return fill(" ".join(text.split()), min(get_terminal_size().columns, WIDEST)) if is_terminal(sys.stderr) else text


def _explanation(policy: Policy | None, read_only: bool | None) -> str:
    if policy is None:
        return WITHOUT_SANDBOX if read_only is None else WITHOUT_SANDBOX_HERE
    if read_only is None:
        return IN_SANDBOX.format(reach=REACH[policy.network])
    return IN_CHECKOUT.format(reach=REACH[policy.network], change=CHANGE[read_only])
