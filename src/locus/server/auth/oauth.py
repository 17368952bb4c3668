"""Signing in with GitHub or Google: OAuth with state and PKCE, and only an address that the provider has verified.

The only place where the server asks another server anything. What it needs to remember between the two requests is a
secret in the browser's cookie, from which the state and the verifier are made: nobody else's answer fits.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from locus.server.auth.tokens import is_token, new_token
from locus.server.errors import Invalid, Unavailable
from locus.server.settings import OAuthClient
from locus.wire.people import Email

TIMEOUT = 10.0  # seconds for each question to the provider
LARGEST = 1 << 20  # bytes of an answer
TITLES = {"github": "GitHub", "google": "Google"}


@dataclass(frozen=True)
class Identity:
    """Whom a provider vouches for."""

    provider: str
    subject: str
    email: str
    name: str


@dataclass(frozen=True)
class Started:
    """Where the browser goes, and what its cookie remembers."""

    url: str
    secret: str


class Providers:
    """The providers that this server is known to."""

    def __init__(self, clients: Mapping[str, OAuthClient], origin: str) -> None:
        self._clients = dict(clients)
        self._origin = origin

    @property
    def names(self) -> list[tuple[str, str]]:
        """What a page offers: the name in addresses, and the title."""
        return [(name, TITLES[name]) for name in TITLES if name in self._clients]

    def __contains__(self, provider: str) -> bool:
        return provider in self._clients

    def start(self, provider: str) -> Started:
        """Begin: the provider's page, with a state and a challenge that only this browser can answer for."""
        client, secret = self._clients[provider], new_token()
        query = {
            "client_id": client.id,
            "redirect_uri": self._back(provider),
            "response_type": "code",
            "scope": "read:user user:email" if provider == "github" else "openid email profile",
            "state": _derived(secret, "state"),
            "code_challenge": _challenge(_derived(secret, "verifier")),
            "code_challenge_method": "S256",
        }
        return Started(f"{client.authorize_url}?{urlencode(query)}", secret)

    async def finish(self, provider: str, secret: str | None, state: str, code: str) -> Identity:
        """The person for whom the provider sent the browser back.

        Raises:
            Invalid: the answer is not for this browser, or the provider vouches for no address.
            Unavailable: the provider does not answer.
        """
        client = self._clients[provider]
        if secret is None or not is_token(secret) or not hmac.compare_digest(_derived(secret, "state"), state):
            raise Invalid("This sign-in was begun in another browser, or too long ago. Begin again.", code="state")
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as http:
                token = await self._token(http, client, provider, code, _derived(secret, "verifier"))
                headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
                person = await _ask(http, client.user_url, headers)
                emails = await _ask(http, client.emails_url, headers) if client.emails_url else None
        except httpx.HTTPError as e:
            raise Unavailable(f"{TITLES[provider]} does not answer. Try again, or sign in with a code.") from e
        return _github(person, emails) if provider == "github" else _google(person)

    async def _token(
        self, http: httpx.AsyncClient, client: OAuthClient, provider: str, code: str, verifier: str
    ) -> str:
        answer = await http.post(
            client.token_url,
            headers={"Accept": "application/json"},
            data={
                "grant_type": "authorization_code",
                "client_id": client.id,
                "client_secret": client.secret,
                "code": code,
                "redirect_uri": self._back(provider),
                "code_verifier": verifier,
            },
        )
        token = _read(answer).get("access_token") if answer.status_code == 200 else None
        if not isinstance(token, str) or not token:
            raise Invalid(f"{TITLES[provider]} did not accept this sign-in. Begin again.", code="refused_by_provider")
        return token

    def _back(self, provider: str) -> str:
        return f"{self._origin}/sign-in/with/{provider}/back"


def _github(person: Any, emails: Any) -> Identity:
    known = [one for one in emails if isinstance(one, dict)] if isinstance(emails, list) else []
    proven = [one.get("email") for one in known if one.get("primary") is True and one.get("verified") is True]
    found = proven[0] if proven else None
    subject = person.get("id") if isinstance(person, dict) else None
    if not isinstance(subject, int):
        raise Invalid("GitHub did not say who you are.", code="refused_by_provider")
    return Identity("github", str(subject), _email(found, "GitHub"), _name(person.get("name") or person.get("login")))


def _google(person: Any) -> Identity:
    subject = person.get("sub") if isinstance(person, dict) else None
    if not isinstance(subject, str) or not subject:
        raise Invalid("Google did not say who you are.", code="refused_by_provider")
    found = person.get("email") if person.get("email_verified") is True else None
    return Identity("google", subject, _email(found, "Google"), _name(person.get("name")))


def _email(found: Any, title: str) -> str:
    try:
        return msgspec.convert(found.lower() if isinstance(found, str) else None, Email)
    except msgspec.ValidationError as e:
        raise Invalid(
            f"{title} knows no address of yours that it has verified. Verify one there, or sign in with a code.",
            code="no_verified_email",
        ) from e


def _name(given: Any) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in str(given or "")).strip()[:100]


async def _ask(http: httpx.AsyncClient, url: str, headers: dict[str, str]) -> Any:
    answer = await http.get(url, headers=headers)
    if answer.status_code != 200 or len(answer.content) > LARGEST:
        raise Unavailable("The provider does not say who you are. Try again, or sign in with a code.")
    return _read(answer)


def _read(answer: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return {}


def _derived(secret: str, what: str) -> str:
    made = hmac.new(secret.encode(), what.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
