"""The socket that the server listens on."""

import socket
from pathlib import Path

from locus.server.serving import listen
from locus.server.settings import Settings


def test_the_body_of_an_answer_does_not_wait_for_its_headers_to_be_acknowledged() -> None:
    bound = listen(Settings(data=Path("/nonexistent"), database_url="", port=0))
    with bound, socket.create_connection(bound.getsockname()), bound.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
