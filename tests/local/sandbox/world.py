"""What an agent would be after: a home with keys, a repository, other processes, services; and an agent that obeys."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

# The prompt is all it knows; whatever code stands in it, whoever wrote that, it executes.
OBEDIENT = """
import sys, traceback
prompt = sys.stdin.read()
try:
    exec(prompt.split("BEGIN\\n")[1].split("END\\n")[0])
except BaseException as e:
    print("failed:", type(e).__name__, e.args[:1])
print("obeyed", flush=True)
"""
KEYS = {"x86_64": (248, 250), "aarch64": (217, 219)}.get(platform.machine(), (0, 0))  # add_key, keyctl
SECRETS = (
    *(".ssh/id_ed25519", ".aws/credentials", ".netrc", ".config/gh/hosts.yml", ".gitconfig", ".git-credentials"),
    *(".docker/config.json", ".kube/config", ".npmrc", ".pypirc", ".bash_history", ".gnupg/private-keys-v1.d/x.key"),
    *(".local/share/keyrings/login.keyring", ".config/google-chrome/Default/Cookies", "other-project/.env"),
    *(".claude/.credentials.json", ".codex/auth.json", ".config/pip/pip.conf", ".m2/settings.xml"),
)


@dataclass
class World:
    """One machine of one user, below a test's folder. Every secret in it is the same word."""

    place: Path
    canary: str = field(default_factory=lambda: f"canary-{uuid4().hex}")
    victim: int = 0  # a process of the user's, with a secret in its environment
    tcp: int = 0  # ports of services on this machine that tell the secret to whoever connects
    tcp6: int = 0
    udp: int = 0
    abstract: str = ""  # a name without a file on which one listens
    segment: int = 0  # shared memory
    heard: list[bytes] = field(default_factory=list)  # by the service for datagrams

    @property
    def home(self) -> Path:
        return self.place / "home"

    @property
    def state(self) -> Path:
        return self.home / ".local" / "state" / "locus"

    @property
    def slot(self) -> Path:
        return self.state / "repositories" / "shop" / "1"

    @property
    def tree(self) -> Path:
        return self.slot / "tree"

    @property
    def checkout(self) -> Path:
        return self.home / "shop"

    @property
    def agent(self) -> Path:
        return self.place / "agent.py"

    @property
    def environment(self) -> dict[str, str]:
        """The user's own, with what does not concern agents."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "GITHUB_TOKEN": self.canary,
            "AWS_SECRET_ACCESS_KEY": self.canary,
            "LOCUS_API_KEY": self.canary,
            "SSH_AUTH_SOCK": str(self.place / "agent.sock"),
        }

    def put(self, path: Path, text: str | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.canary if text is None else text)

    def prompt(self, code: str) -> str:
        """An instruction that an agent should not follow; the names of the world stand in it."""
        names = {
            "HOME": str(self.home),
            "PLACE": str(self.place),
            "STATE": str(self.state),
            "SLOT": str(self.slot),
            "TREE": str(self.tree),
            "CHECKOUT": str(self.checkout),
            "VICTIM": self.victim,
            "TCP": self.tcp,
            "TCP6": self.tcp6,
            "UDP": self.udp,
            "ABSTRACT": self.abstract,
            "SEGMENT": self.segment,
            "KEYCTL": KEYS[1],
        }
        given = "\n".join(f"{name} = {value!r}" for name, value in names.items())
        return f"BEGIN\n{given}\n{HANDY}\n{code}\nEND\n"

    def as_the_user(self, code: str) -> str:
        """What the same agent achieves as a program of the user's, with nothing around it."""
        done = subprocess.run(
            [sys.executable, "-B", str(self.agent)],
            input=self.prompt(code),
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert "obeyed" in done.stdout, done.stderr
        return done.stdout


HANDY = """
import ctypes, glob, os, socket, struct, subprocess, time
libc = ctypes.CDLL(None, use_errno=True)
def read(path):
    with open(path, errors="replace") as file:
        print(file.read())
def write(path, text="planted"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
def ask(family, address, proxied=False):
    # Through the proxy, when there is one and it is to be tried.
    proxy = os.environ.get("https_proxy") if proxied else None
    if proxy:
        s = socket.create_connection((proxy.split("//")[1].split(":")[0], int(proxy.rsplit(":", 1)[1])), 5)
        host, port = address[:2]
        s.sendall(f"CONNECT {'[%s]' % host if ':' in host else host}:{port} HTTP/1.1\\\\r\\\\n\\\\r\\\\n".encode())
    else:
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(5)
        s.connect(address)
    print(s.recv(1000))
"""


@contextmanager
def world(place: Path) -> Iterator[World]:
    """A world with its services, until the end of the block."""
    made = World(place)
    for name in SECRETS:
        made.put(made.home / name)
    for name in ("config/locus/credentials.json", "neighbour/.ssh/id_rsa", "tmp/notes.txt", "outside/file.txt"):
        made.put(made.place / name)
    made.put(made.home / ".config" / "locus" / "credentials.json")
    made.put(made.state / "journal.sqlite3")
    made.put(made.slot / "git" / "config")
    made.put(made.slot.parent / "2" / "tree" / "file.txt")
    made.put(made.checkout / ".env")
    made.put(made.checkout / ".git" / "config")
    made.put(made.checkout / ".git" / "hooks" / "post-checkout.sample")
    made.put(made.place / "shop.git" / "config")
    made.put(made.home / ".bashrc", "")
    made.put(made.home / ".local" / "bin" / "tool", "")
    made.put(made.tree / "README.md", "A shop.\n")
    made.put(made.agent, OBEDIENT)
    with ExitStack() as services:
        made.victim = services.enter_context(_process(made))
        for name in ("docker.sock", "agent.sock"):
            services.enter_context(_service(made, socket.AF_UNIX, str(made.place / name)))
        made.abstract = f"\0locus-{uuid4().hex}"
        services.enter_context(_service(made, socket.AF_UNIX, made.abstract))
        made.tcp = services.enter_context(_service(made, socket.AF_INET, ("127.0.0.1", 0)))[1]
        if socket.has_ipv6:
            made.tcp6 = services.enter_context(_service(made, socket.AF_INET6, ("::1", 0)))[1]
        made.udp = services.enter_context(_datagrams(made))
        made.segment = services.enter_context(_shared_memory(made))
        yield made


@contextmanager
def _process(made: World) -> Iterator[int]:
    sleeping = subprocess.Popen(["sleep", "600"], env={"SECRET": made.canary, "PATH": os.defpath}, cwd=made.place)
    try:
        yield sleeping.pid
    finally:
        sleeping.kill()
        sleeping.wait()


@contextmanager
def _service(made: World, family: int, address: object) -> Iterator[tuple[str, int]]:
    """A service that says the secret to everybody, as a control socket does what anybody tells it."""
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.bind(address)  # type: ignore[arg-type]
    listening.listen()

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
                client.settimeout(2)
                client.sendall(f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{made.canary}\n".encode())
                client.shutdown(socket.SHUT_WR)
                # What was asked has to be read, or closing would take the answer back.
                while client.recv(1000):
                    pass
                client.close()
            except OSError:
                if listening.fileno() < 0:
                    return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()
    finally:
        # Closing alone does not wake who waits for a connection.
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


@contextmanager
def _datagrams(made: World) -> Iterator[int]:
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.settimeout(0.2)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                made.heard.append(listening.recv(1000))
            except TimeoutError:
                continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listening.close()


@contextmanager
def _shared_memory(made: World) -> Iterator[int]:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = int(libc.shmget(0, 4096, 0o1600))
    if segment < 0:
        pytest.fail("this machine has no shared memory")
    address = libc.shmat(segment, None, 0)
    ctypes.memmove(address, made.canary.encode(), len(made.canary))
    try:
        yield segment
    finally:
        libc.shmdt(ctypes.c_void_p(address))
        libc.shmctl(segment, 0, None)
