"""Who reviews for a worker, from the settings."""

from locus.local.providers.table import choose
from locus.local.settings import Settings
from locus.local.worker.workplace import Critic


def critic_of(settings: Settings) -> Critic:
    """The reviewer that the settings name; the agent that works, if they name none. Raises Usage."""
    name = settings.review_provider or settings.provider
    # The model of one agent means nothing to another.
    model = settings.review_model or (settings.model if name == settings.provider else None)
    return Critic(choose(name, command=settings.agent_command or ()), model)
