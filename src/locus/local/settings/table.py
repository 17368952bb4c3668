"""Every setting, once: the command line, the files, the documentation and the tests read this table."""

from collections.abc import Mapping

from msgspec import Struct

from locus.local.settings.kinds import Choice, Several, Text, Url, Whole, Words, YesNo
from locus.local.settings.limits import LIMITS
from locus.local.settings.setting import Origin, Setting

MODEL = r"[A-Za-z0-9][A-Za-z0-9.:/@_\[\]-]{0,79}"
BRANCH = r"(?!-)[^\x00-\x20\x7f~^:?*\[\\]{1,200}"
PATHS = Several(r"(/|~/)[^\x00-\x1f\x7f]{0,4000}|~", "list of paths that begin with / or ~/")
HOSTS = Several(
    r"([A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?",
    "list of hosts, such as mirror.example.org or registry.example.org:8443",
)


TABLE: tuple[Setting, ...] = (
    Setting(
        name="server",
        kind=Url(),
        default="http://127.0.0.1:4700",
        doc="Control plane to talk to.",
        why_not="a repository could send your key elsewhere",
    ),
    Setting(
        name="workspace",
        kind=Text(allows="name, prefix or id of a workspace"),
        doc="Workspace to work in, when the key opens several.",
        project="workspace",
    ),
    Setting(
        name="provider",
        kind=Choice(("claude", "codex", "command")),
        default="claude",
        doc="Agent that does the work.",
        project="agent.provider",
    ),
    Setting(
        name="model",
        kind=Text(MODEL, "name of a model"),
        doc="Model that the agent uses; its own choice if left out.",
        project="agent.model",
    ),
    Setting(
        name="effort",
        kind=Text(r"[a-z]{1,20}", "a word the agent knows, such as low, medium or high"),
        doc="How hard the model thinks; the agent's own choice if left out.",
        project="agent.effort",
    ),
    Setting(
        name="review_provider",
        kind=Choice(("claude", "codex", "command")),
        doc="Agent that reviews; the one that works, in a conversation of its own, if left out.",
        project="review.provider",
    ),
    Setting(
        name="review_model",
        kind=Text(MODEL, "name of a model"),
        doc="Model that the reviewer uses; its own choice if left out.",
        project="review.model",
    ),
    Setting(
        name="agent_command",
        kind=Words(),
        doc="Program to start for the provider `command`; it gets the prompt on its standard input.",
        why_not="a repository could choose the program that gets your rights",
    ),
    Setting(
        name="remote",
        kind=Text(r"(?!-)[A-Za-z0-9._/-]{1,100}", "name of a remote"),
        default="origin",
        doc="Remote to which finished work is pushed.",
        project="git.remote",
    ),
    Setting(
        name="base",
        kind=Text(BRANCH, "name of a branch"),
        doc="Branch that work starts from; the remote's default branch if left out.",
        project="git.base",
    ),
    Setting(
        name="forge",
        kind=Choice(("github", "none")),
        doc="Where pull requests are made, when the remote's address does not show it.",
        why_not="a repository could have your token sent to a server of its choice",
    ),
    Setting(
        name="forge_api",
        kind=Url(),
        doc="Address of the forge's interface, such as https://github.example.org/api/v3.",
        why_not="a repository could have your token sent to a server of its choice",
    ),
    *LIMITS,
    Setting(
        name="index",
        kind=YesNo(),
        default=True,
        doc="Put a map of the codebase into prompts.",
        project="index.enabled",
    ),
    Setting(
        name="index_budget",
        kind=Whole(100, 20_000, "tokens"),
        default=2_000,
        doc="Most of a prompt that the map may take, about.",
        project="index.budget",
    ),
    Setting(
        name="sandbox",
        kind=Choice(("on", "off")),
        default="on",
        doc="Keep agents, set-up commands and checks in a sandbox.",
        why_not="a repository could take away the walls around what it runs",
    ),
    Setting(
        name="network",
        kind=Choice(("open", "provider")),
        default="open",
        doc="What the sandbox may connect to: anything, or only the model's service and `network_hosts`.",
        why_not="a repository could open a way out for what it runs",
    ),
    Setting(
        name="network_hosts",
        kind=HOSTS,
        doc="Hosts that the sandbox may connect to when `network` is `provider`.",
        why_not="a repository could open a way out for what it runs",
    ),
    Setting(
        name="sandbox_read",
        kind=PATHS,
        doc="Files and folders of yours that the sandbox shows, read-only.",
        why_not="a repository could have your files shown to what it runs",
    ),
    Setting(
        name="sandbox_write",
        kind=PATHS,
        doc="Files and folders of yours that the sandbox may write to.",
        why_not="a repository could have your files changed by what it runs",
    ),
    Setting(
        name="permissions",
        kind=Choice(("allow", "ask")),
        default="allow",
        doc="What agents of run, exec and discuss may do unasked:"
        " all that the sandbox lets them, or only edits and looking around.",
        why_not="a repository could have its agent work unasked",
    ),
    Setting(
        name="ask_seconds",
        kind=Whole(5, 3600, "seconds"),
        default=120,
        doc="How long an agent that asks waits for an answer before it is a no.",
        why_not="a repository could keep your machine waiting",
    ),
    Setting(
        name="summaries",
        kind=YesNo(),
        default=True,
        doc="Send the agent's words about finished work, scrubbed, to a workspace that asks for them.",
        why_not="a repository could have words sent that you have forbidden",
    ),
    Setting(
        name="sandbox_consent",
        kind=YesNo(),
        default=False,
        doc="You agreed that agents run on this machine in the sandbox.",
        why_not="only you can agree to that, on your machine",
        environment=False,
    ),
    Setting(
        name="consent",
        kind=YesNo(),
        default=False,
        doc="You agreed that agents run on this machine with your rights, without the sandbox.",
        why_not="only you can agree to that, on your machine",
        environment=False,
    ),
)

BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in TABLE}
PROJECT_KEYS: Mapping[str, Setting] = {setting.project: setting for setting in TABLE if setting.project}


class Settings(Struct, frozen=True, kw_only=True):
    """The values in force, and where each comes from."""

    server: str
    workspace: str | None
    provider: str
    model: str | None
    effort: str | None
    review_provider: str | None
    review_model: str | None
    agent_command: tuple[str, ...] | None
    remote: str
    base: str | None
    forge: str | None
    forge_api: str | None
    max_tasks: int | None
    wall_minutes: int
    silence_minutes: int
    check_rounds: int
    task_turns: int | None
    task_tokens: int | None
    task_usd: float | None
    run_minutes: int | None
    run_turns: int | None
    run_tokens: int | None
    run_usd: float | None
    day_minutes: int | None
    day_turns: int | None
    day_tokens: int | None
    day_usd: float | None
    on_limit: str
    index: bool
    index_budget: int
    sandbox: str
    network: str
    network_hosts: tuple[str, ...] | None
    sandbox_read: tuple[str, ...] | None
    sandbox_write: tuple[str, ...] | None
    permissions: str
    ask_seconds: int
    summaries: bool
    sandbox_consent: bool
    consent: bool
    origins: Mapping[str, Origin]
