"""What an operator may set. Read once from the environment and the command line, then passed down."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

LEASE_MS = 180_000  # a lease without a heartbeat ends after this
HEARTBEAT_MS = 20_000  # nine chances to keep a lease
REAP_MS = 10_000  # so a lost worker's task is claimable within 190 s
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long leases live, in milliseconds. Tests divide them; the ratios are what matters."""

    lease_ms: int = LEASE_MS
    heartbeat_ms: int = HEARTBEAT_MS
    reap_ms: int = REAP_MS


@dataclass(frozen=True, kw_only=True)
class Relay:
    """The mail server that takes our mails, and whom they are from."""

    host: str
    port: int
    sender: str
    tls: bool = False  # from the first byte; else STARTTLS, which is optional on loopback only
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class OAuthClient:
    """What this server is at a provider of identities, and where that provider is asked."""

    id: str
    secret: str = field(repr=False)
    authorize_url: str
    token_url: str
    user_url: str
    emails_url: str | None = None


def github(
    client_id: str, secret: str, *, site: str = "https://github.com", api: str = "https://api.github.com"
) -> OAuthClient:
    """GitHub, or an installation of it elsewhere."""
    return OAuthClient(
        id=client_id,
        secret=secret,
        authorize_url=f"{site}/login/oauth/authorize",
        token_url=f"{site}/login/oauth/access_token",
        user_url=f"{api}/user",
        emails_url=f"{api}/user/emails",
    )


def google(client_id: str, secret: str) -> OAuthClient:
    """Google."""
    return OAuthClient(
        id=client_id,
        secret=secret,
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106  # an address
        user_url="https://openidconnect.googleapis.com/v1/userinfo",
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the server program needs to know.

    `data` is where the embedded PostgreSQL lives when `database_url` is not given. `log_format` is "json" or "text".
    `body_seconds` is how long a client may take to send a request's body. `public_url` is where browsers find the
    server when a proxy stands in front of it; of `trusted_proxies` (addresses or networks, with commas) the server
    believes whom they speak for. `sign_up` is "open" or "invited"; without a `relay` mails are written to the log.
    """

    data: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 4700
    pool_size: int = 10
    timing: Timing = Timing()
    log_format: str = "json"
    body_seconds: float = 30.0
    public_url: str | None = None
    development: bool = False
    trusted_proxies: str | None = None
    sign_up: str = "invited"
    relay: Relay | None = None
    oauth: Mapping[str, OAuthClient] = field(default_factory=dict)  # by "github" and "google"

    @property
    def origin(self) -> str:
        """Scheme, host and port as browsers know them. Without TLS only on loopback: sessions need it elsewhere."""
        if self.public_url:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self.host in LOOPBACK else 'https'}://{host}:{self.port}"


def from_environment(environ: Mapping[str, str] = os.environ, *, data: Path) -> Settings:
    """Settings from DATABASE_URL and LOCUS_SERVER_*; `data` is the default data directory.

    Raises:
        ValueError: a variable has a value that cannot be read; the message names it.
    """

    def number(name: str, default: int) -> int:
        raw = environ.get(name, "")
        if not raw:
            return default
        if not raw.isascii() or not raw.isdigit():
            raise ValueError(f"{name} must be a whole number, not {raw!r}.")
        return int(raw)

    default = Timing()
    return Settings(
        data=Path(environ.get("LOCUS_SERVER_DATA") or data),
        database_url=environ.get("DATABASE_URL") or None,
        host=environ.get("LOCUS_SERVER_HOST") or "127.0.0.1",
        port=number("LOCUS_SERVER_PORT", 4700),
        pool_size=number("LOCUS_SERVER_POOL_SIZE", 10),
        timing=Timing(
            lease_ms=number("LOCUS_SERVER_LEASE_MS", default.lease_ms),
            heartbeat_ms=number("LOCUS_SERVER_HEARTBEAT_MS", default.heartbeat_ms),
            reap_ms=number("LOCUS_SERVER_REAP_MS", default.reap_ms),
        ),
        log_format=environ.get("LOCUS_SERVER_LOG_FORMAT") or "json",
        public_url=public_url(environ.get("LOCUS_SERVER_URL") or None),
        development=environ.get("LOCUS_SERVER_DEVELOPMENT") == "1",
        trusted_proxies=environ.get("LOCUS_SERVER_TRUSTED_PROXIES") or None,
        sign_up=sign_up(environ.get("LOCUS_SERVER_SIGN_UP") or "invited"),
        oauth=oauth(environ),
        relay=relay(environ.get("LOCUS_SERVER_SMTP_URL"), environ.get("LOCUS_SERVER_MAIL_FROM")),
    )


def sign_up(given: str) -> str:
    """Who may sign up.

    Raises:
        ValueError: it is neither "open" nor "invited".
    """
    if given not in ("open", "invited"):
        raise ValueError(f'LOCUS_SERVER_SIGN_UP must be "open" or "invited", not {given!r}.')
    return given


def oauth(environ: Mapping[str, str]) -> Mapping[str, OAuthClient]:
    """The providers of identities that are set.

    Raises:
        ValueError: a client has an id but no secret, or the reverse.
    """
    found: dict[str, OAuthClient] = {}
    for name, make in (("github", github), ("google", google)):
        known = f"LOCUS_SERVER_{name.upper()}_ID", f"LOCUS_SERVER_{name.upper()}_SECRET"
        client_id, secret = (environ.get(one) or "" for one in known)
        if bool(client_id) != bool(secret):
            raise ValueError(f"{known[0]} and {known[1]} go together.")
        if client_id:
            found[name] = make(client_id, secret)
    return found


def relay(url: str | None, sender: str | None) -> Relay | None:
    """The mail server that takes our mails; None when none is set.

    Raises:
        ValueError: the address of it, or of the sender, cannot be.
    """
    if not url:
        return None
    if not sender:
        raise ValueError("LOCUS_SERVER_SMTP_URL needs LOCUS_SERVER_MAIL_FROM, the address that mails come from.")
    return relay_of(url, sender)


def public_url(given: str | None) -> str | None:
    """The origin that an operator gave: https, or http on this machine.

    Raises:
        ValueError: it is something else.
    """
    if given is None:
        return None
    parts = urlsplit(given)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not safe or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError(f"LOCUS_SERVER_URL must be like https://locus.example.org, without a path, not {given!r}.")
    return f"{parts.scheme}://{parts.netloc}".lower()


def relay_of(url: str, sender: str) -> Relay:
    """The relay of an address like smtp://user:password@mail.example.org:587 or smtps://mail.example.org.

    Raises:
        ValueError: it is not one; the message does not repeat the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("LOCUS_SERVER_SMTP_URL must be like smtp://user:password@mail.example.org:587.")
    if sender.count("@") != 1 or any(not letter.isprintable() for letter in sender):
        raise ValueError("LOCUS_SERVER_MAIL_FROM must be an address like locus@example.org.")
    tls = parts.scheme == "smtps"
    return Relay(
        host=parts.hostname,
        port=port or (465 if tls else 587),
        sender=sender,
        tls=tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )
