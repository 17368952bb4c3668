"""The table of what each command does: a module for each group."""

from collections.abc import Mapping

from locus.telegram.acts import chat, here, judge, look, plans, prompt, reviews, sprints, work
from locus.telegram.desk import Handler

HANDLERS: Mapping[str, Handler] = {
    **look.HANDLERS,
    **judge.HANDLERS,
    **sprints.HANDLERS,
    **work.HANDLERS,
    **plans.HANDLERS,
    **prompt.HANDLERS,
    **reviews.HANDLERS,
    **here.HANDLERS,
    **chat.HANDLERS,
}
