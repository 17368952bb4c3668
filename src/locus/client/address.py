"""Which addresses may be a control plane's: encrypted ones, and plain ones that do not leave this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from locus.client.errors import BadAddress


def parse(text: str) -> str:
    """The address in its usual form, without a slash at the end. Raises BadAddress."""
    try:
        url = urlsplit(text.strip())
        host, port = url.hostname, url.port
    except ValueError as e:
        raise BadAddress(f"{text!r} is not a URL.") from e
    if url.scheme not in ("http", "https") or not host or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in text):
        raise BadAddress(f"{text!r} is not a URL such as https://locus.example.org.")
    if url.username is not None or url.password is not None or url.query or url.fragment:
        raise BadAddress("The URL may have no user, password, query or fragment.")
    if url.scheme == "http" and not is_loopback(host):
        raise BadAddress(f"{host} is another machine, and http would show your key to the network. Use https.")
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}{f':{port}' if port else ''}{url.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine, told without asking the network."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
