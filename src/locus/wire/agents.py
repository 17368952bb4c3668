"""Agents: the workers that people start on their machines."""

from enum import StrEnum
from uuid import UUID

from locus.wire.base import AgentName, Answer, Fence, ModelName, Moment, Request, Version
from locus.wire.tasks import Phase


class HostClass(StrEnum):
    """What kind of machine it is. Its name and its user's name stay at home."""

    LAPTOP = "laptop"
    SERVER = "server"
    CONTAINER = "container"
    CI = "ci"
    UNKNOWN = "unknown"


class OsFamily(StrEnum):
    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"
    OTHER = "other"


class AgentState(StrEnum):
    """What a worker says of itself."""

    IDLE = "idle"
    WORKING = "working"
    PARKED = "parked"  # waits for a usage limit to end
    ASLEEP = "asleep"  # its machine slept until just now, and it says so with its first heartbeat
    STOPPED = "stopped"


class AgentLiveness(StrEnum):
    """What the server makes of it, from the time of its last heartbeat."""

    LIVE = "live"
    SILENT = "silent"  # more than two heartbeats are missing
    PARKED = "parked"
    ASLEEP = "asleep"  # until the heartbeat after the one that said so
    LOST = "lost"  # its lease would have ended
    STOPPED = "stopped"


class ProviderName(StrEnum):
    CLAUDE = "claude"
    CODEX = "codex"
    COMMAND = "command"


class Agent(Answer, frozen=True, kw_only=True):
    id: UUID
    workspace_id: UUID
    name: str
    host_class: HostClass
    os_family: OsFamily
    provider: ProviderName
    provider_version: str | None
    model: str | None
    locus_version: str
    state: AgentState
    liveness: AgentLiveness
    task_id: UUID | None
    task_key: str | None
    phase: Phase | None
    lease_expires_in_ms: int | None
    parked_until: Moment | None
    registered_at: Moment
    last_heartbeat_at: Moment


class AgentRegistration(Request, frozen=True, kw_only=True):
    name: AgentName
    host_class: HostClass
    os_family: OsFamily
    provider: ProviderName
    locus_version: Version
    provider_version: Version | None = None
    model: ModelName | None = None


class LeaseBeat(Request, frozen=True, kw_only=True):
    """The lease that a heartbeat keeps alive."""

    task_id: UUID
    fence: Fence
    phase: Phase


class Heartbeat(Request, frozen=True, kw_only=True):
    state: AgentState
    lease: LeaseBeat | None = None
    parked_until: Moment | None = None


class HeartbeatAnswer(Answer, frozen=True, kw_only=True):
    """`lease_held` is false when the lease is gone: stop the agent and report nothing."""

    lease_held: bool | None
    lease_expires_in_ms: int | None
    cancel_requested: bool
