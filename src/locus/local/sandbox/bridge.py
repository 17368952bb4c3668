"""Inside of a sandbox without a network: a port on loopback whose connections go through a socket to our proxy.

Started as a program of its own (`python -I -S bridge.py SOCKET PORT COMMAND ...`), it becomes the command once the port
is there. It imports the standard library alone, and little of it: it is in the way of every command.
"""

import os
import socket
import sys
import threading

CHUNK = 1 << 16  # bytes


def main() -> None:
    path, port, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    if os.fork() == 0:
        # Not in the command's group, whose signals are not meant for it, and with none of its pipes.
        os.setsid()
        nothing = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        serve(listening, path)
    listening.close()
    try:
        os.execvp(command[0], command)  # noqa: S606 - there is no shell in this
    except OSError as e:
        sys.stderr.write(f"bwrap: execvp {command[0]}: {e.strerror}\n")
        os._exit(1)


def serve(listening: socket.socket, path: str) -> None:
    """Connect everybody who comes with the proxy, until the sandbox ends."""
    while True:
        client, _ = listening.accept()
        threading.Thread(target=connect, args=(client, path), daemon=True).start()


def connect(client: socket.socket, path: str) -> None:
    proxy = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        proxy.connect(path)
    except OSError:
        client.close()
        return
    back = threading.Thread(target=copy, args=(proxy, client), daemon=True)
    back.start()
    copy(client, proxy)
    back.join()
    client.close()
    proxy.close()


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone: the other one's copy must end, too.
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


if __name__ == "__main__":
    main()
