"""One mail to one mail server, by SMTP."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from locus.server.settings import LOOPBACK, Relay

TIMEOUT = 20.0  # seconds for each step of the conversation


class NotSent(Exception):
    """The mail server did not take a mail; `for_good` when trying again is no use."""

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


def send(relay: Relay, recipient: str, subject: str, body: str) -> None:
    """Hand one mail of plain text over. Blocks; for a thread.

    Raises:
        NotSent: the mail server is away, or refused it.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = relay.sender, recipient, subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=relay.sender.rpartition("@")[2].rstrip(">") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    try:
        with _connected(relay) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as e:
        code = next(iter(e.recipients.values()))[0] if e.recipients else 0
        raise NotSent(f"the mail server refused the recipient ({code})", for_good=code >= 500) from e
    except smtplib.SMTPResponseException as e:
        raise NotSent(f"the mail server answered {e.smtp_code}", for_good=False) from e
    except (OSError, smtplib.SMTPException) as e:
        raise NotSent(f"{relay.host}:{relay.port} did not take it: {type(e).__name__}") from e


def _connected(relay: Relay) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if relay.tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(relay.host, relay.port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(relay.host, relay.port, timeout=TIMEOUT)
        server.ehlo()
        # Codes and passwords cross no network in clear; a relay on this machine needs no certificate.
        if relay.host not in LOOPBACK:
            server.starttls(context=context)
    if relay.user is not None:
        server.login(relay.user, relay.password or "")
    return server
