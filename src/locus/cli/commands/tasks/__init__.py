"""`locus tasks`: list, write, order and judge tasks."""

import click

from locus.cli.commands.tasks import judge, look, order, write
from locus.cli.frame import group


@group("tasks", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, write, order and judge tasks. Alone it lists the open ones.

    A task is named by its key, such as AUTH-12, in any case.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(look.list_)


for part in (
    look.list_,
    look.show,
    write.add,
    write.edit,
    write.delete,
    order.move,
    judge.approve,
    judge.reject,
    judge.block,
    judge.unblock,
    judge.retry,
    judge.status,
    judge.cancel,
    judge.comment,
    judge.check,
):
    command.add_command(part)
