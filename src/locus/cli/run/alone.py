"""A place to work in without an agent: for commands that start the project's own checks, and nothing else."""

import os
from collections.abc import Callable

from locus.cli.commands.run import another
from locus.cli.invocation import Invocation
from locus.cli.places import remote_of, state
from locus.cli.run.critic import critic_of
from locus.client.plane import ControlPlane
from locus.local import project, sandbox
from locus.local.forge.table import Choice
from locus.local.git import checkout
from locus.local.providers.nobody import Nobody
from locus.local.settings import Settings
from locus.local.worker import told
from locus.local.worker.workplace import Options, Workplace


async def place(
    here: Invocation, plane: ControlPlane, settings: Settings, options: Options, tell: Callable[[told.Told], None]
) -> Workplace:
    """The workplace of the repository around the command, in the sandbox that the settings ask for.

    Raises LocalError when there is no repository or no sandbox.
    """
    root = project.find(here.cwd)
    policy = sandbox.policy.of(settings, os.environ)
    if policy is not None:
        await sandbox.probe(os.environ)
    return Workplace(
        plane=plane,
        connect=lambda: another(plane, settings),
        checkout=await checkout.find(root, os.environ, remote=remote_of(settings)),
        project=project.load(root),
        provider=Nobody(),
        provider_version=None,
        options=options,
        environment=os.environ,
        state=state(),
        tell=tell,
        policy=policy,
        forge=Choice(settings.forge, settings.forge_api),
        critic=critic_of(settings),
    )
