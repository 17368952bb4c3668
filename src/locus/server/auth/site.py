"""Where browsers find this server, and what follows from it: the name of the session's cookie, and links in mails."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from litestar.datastructures import Cookie

from locus.server.auth.sessions import DAYS

PLAIN = "locus-session"
SAFE = f"__Host-{PLAIN}"


@dataclass(frozen=True)
class Site:
    """`origin` is like https://locus.example.org: no path, no slash at the end."""

    origin: str

    @property
    def secure(self) -> bool:
        """Whether browsers speak TLS with us: everywhere but on a machine's own loopback."""
        return self.origin.startswith("https:")

    @property
    def host(self) -> str:
        """Name and port, as the Host header has them."""
        return urlsplit(self.origin).netloc

    @property
    def session_cookie(self) -> str:
        """The name of the cookie of a session."""
        return self.named(PLAIN)

    def named(self, name: str) -> str:
        """A cookie's name. The prefix makes the browser keep it to this host and to TLS, which loopback has not."""
        return f"__Host-{name}" if self.secure else name

    def cookie(self, name: str, value: str, *, seconds: int) -> Cookie:
        """A cookie that no script reads and no foreign page sends along."""
        return Cookie(
            key=self.named(name),
            value=value,
            path="/",
            max_age=seconds,
            httponly=True,
            secure=self.secure,
            samesite="lax",
        )

    def signed_in(self, secret: str) -> Cookie:
        """The cookie of a session."""
        return self.cookie(PLAIN, secret, seconds=DAYS * 86_400)

    def signed_out(self) -> Cookie:
        """The cookie that takes the session's away."""
        return self.cookie(PLAIN, "", seconds=0)

    def url(self, path: str) -> str:
        """The whole address of a page; never made from what a request says its host is."""
        return f"{self.origin}{path}"
