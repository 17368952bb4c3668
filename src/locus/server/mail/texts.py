"""The words of our mails. Neutral: the only link is to this server, and names that people chose are quoted as text."""

from locus.server.mail.outbox import Mail
from locus.wire.workspaces import MemberRole


def code(recipient: str, shown: str, *, minutes: int) -> Mail:
    """The code that somebody asked for to sign in, or to prove a new address."""
    body = f"""\
Your code for Locus is

    {shown}

Type it into the page where you asked for it. It is good for {minutes} minutes, once, in that browser only.
If you did not ask for it, somebody has typed your address by mistake. Nothing happens without the code.
"""
    return Mail(recipient, f"Your code for Locus: {shown}", body, minutes=minutes)


def no_account(recipient: str, *, minutes: int) -> Mail:
    """What the owner of an address gets that nobody here has, when people come by invitation only."""
    body = """\
Somebody asked for a code to sign in to Locus with this address. There is no account for it here.

If it was you: ask an owner or admin of your organization to invite this address, or sign in with another one.
If it was not, nothing needs to be done.
"""
    return Mail(recipient, "There is no account for this address", body, minutes=minutes)


def invitation(recipient: str, link: str, *, role: MemberRole, organization: str, days: int) -> Mail:
    """An invitation. The organization's name is somebody's own choice, so it is only quoted."""
    body = f"""\
You are invited to work with others in Locus, as {role.value}. They call their organization:

    {quoted(organization)}

To look at the invitation and accept it, sign in with this address:

    {link}

It is good for {days} days, once, and for this address only. If you expect no invitation, ignore this mail.
"""
    return Mail(recipient, "An invitation to Locus", body, minutes=days * 24 * 60)


def quoted(name: str) -> str:
    """Somebody's words as one line in which no mail program finds a link."""
    plain = " ".join(name.split()).replace("://", ": //").replace("www.", "www .")
    return f"“{plain.replace('.', '․')}”" if looks_like_a_link(name) else f"“{plain}”"


def looks_like_a_link(name: str) -> bool:
    return any(part.count(".") and part.rpartition(".")[2][:2].isalpha() for part in name.split())
