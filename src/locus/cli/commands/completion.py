"""`locus completion`: what a shell needs to complete commands and flags."""

import click

from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation

SHELLS = ("bash", "zsh", "fish")


@_command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_obj
def command(here: Invocation, shell: str) -> None:
    """Print the script that completes `locus` in a shell.

    \b
    Put it where your shell looks, in a folder that you may have to make:
      bash   locus completion bash > ~/.local/share/bash-completion/completions/locus
      zsh    locus completion zsh > ~/.zfunc/_locus      (with ~/.zfunc in fpath, before compinit)
      fish   locus completion fish > ~/.config/fish/completions/locus.fish
    """
    from click.shell_completion import get_completion_class

    from locus.cli.main import root  # which imports this file when it is asked for it

    kind = get_completion_class(shell)
    assert kind is not None, "click knows these three"
    made = kind(root, {}, "locus", "_LOCUS_COMPLETE")
    # Not `source()`: for bash it would start bash to ask for its version, which may not be on this PATH.
    click.echo(made.source_template % made.source_vars(), nl=False)
