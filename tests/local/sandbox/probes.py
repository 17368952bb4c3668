"""Ways out of a sandbox: what an agent is told to do, and how it shows that it worked."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from tests.local.sandbox.world import SECRETS, World
from tests.support.processes import is_alive

from locus.local.sandbox import Network

Proof = Callable[[World, str], bool]


def tells(world: World, said: str) -> bool:
    """It says the secret."""
    return world.canary in said


def claims(_: World, said: str) -> bool:
    """It says that it could; the world shows nothing of it."""
    return "it worked" in said


def wrote(place: str, name: str) -> Proof:
    """What it planted is in a file of the world."""

    def proof(world: World, _: str) -> bool:
        path = getattr(world, place) / name
        return path.is_file() and "planted" in path.read_text()

    return proof


@dataclass(frozen=True)
class Probe:
    """An attack. `network` is the one it is tried with; `privileged` ones only root could do outside, too.

    `may_fail_outside` are things that some machines forbid everybody: there the probe shows nothing and is skipped.
    `control` is what is tried outside instead, where the attack itself would look at more than was planted.
    """

    name: str
    code: str
    proof: Proof
    network: Network = Network.OPEN
    privileged: bool = False
    may_fail_outside: bool = False
    control: str = ""


WORKED = "print('it worked')"


def _reads() -> list[Probe]:
    return [
        *(Probe(f"read ~/{name}", f"read(HOME + '/{name}')", tells) for name in SECRETS),
        Probe("read our credentials", "read(HOME + '/.config/locus/credentials.json')", tells),
        Probe("read our journal", "read(STATE + '/journal.sqlite3')", tells),
        Probe("read our git-dir", "read(SLOT + '/git/config')", tells),
        Probe("read another worker's tree", "read(SLOT + '/../2/tree/file.txt')", tells),
        Probe("read the user's checkout", "read(CHECKOUT + '/.env')", tells),
        Probe("read a remote that is a folder", "read(PLACE + '/shop.git/config')", tells),
        Probe("read another home", "read(PLACE + '/neighbour/.ssh/id_rsa')", tells),
        Probe("read somebody's temporary files", "read(PLACE + '/tmp/notes.txt')", tells),
        Probe("read past the root", "read('/proc/self/root/../..' + HOME + '/.netrc')", tells),
        Probe("read through a symbolic link", "os.symlink(HOME + '/.netrc', 'link'); read('link')", tells),
        Probe("read through a link to a folder", "os.symlink(HOME, 'folder'); read('folder/.netrc')", tells),
        Probe("read through a hard link", "os.link(HOME + '/.netrc', 'hard'); read('hard')", tells),
        Probe("read by walking up", "os.chdir('../' * 20); read(HOME.lstrip('/') + '/.netrc')", tells),
        Probe(
            "find a key by searching",
            "for folder, _, names in os.walk(PLACE):\n    if 'id_ed25519' in names: read(folder + '/id_ed25519')",
            tells,
        ),
        Probe("read its environment", "print(dict(os.environ))", tells),
        Probe("read another process's environment", "read(f'/proc/{VICTIM}/environ')", tells),
        Probe(
            "read all environments",
            "for path in glob.glob('/proc/[0-9]*/environ'):\n    try: read(path)\n    except OSError: pass",
            tells,
            control="for path in glob.glob(f'/proc/{VICTIM}/environ'): read(path)",
        ),
        Probe("read through another process's root", "read(f'/proc/{VICTIM}/root' + HOME + '/.netrc')", tells),
        Probe("read through another process's folder", "read(f'/proc/{VICTIM}/cwd/outside/file.txt')", tells),
        Probe(
            "see what runs",
            "print(b'it worked' if b'sleep' in open(f'/proc/{VICTIM}/cmdline','rb').read() else '')",
            claims,
        ),
        Probe("read passwords of the system", f"read('/etc/shadow'); {WORKED}", claims, privileged=True),
        Probe(
            "read shared memory",
            "libc.shmat.restype = ctypes.c_void_p\nat = libc.shmat(SEGMENT, None, 0)\n"
            "assert at != 2 ** 64 - 1\nprint(ctypes.string_at(at, 100))",
            tells,
        ),
        Probe(
            "read a key ring",
            # The ring of the session, which is inherited, and the one of the user.
            "for ring in (-3, -4):\n"
            "    found = libc.syscall(KEYCTL, 10, ring, b'user', b'locus-canary', 0)\n"
            "    kept = ctypes.create_string_buffer(100)\n"
            "    libc.syscall(KEYCTL, 11, found, kept, 100)\n    print(kept.raw)",
            tells,
            network=Network.PROVIDER,  # there a command is started by the thread that has the ring
            may_fail_outside=True,
        ),
        Probe(
            "open a file by its handle",
            "handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128))\n"
            "mount, place = ctypes.c_int(), TREE.encode()\n"
            "assert libc.name_to_handle_at(-100, place, handle, ctypes.byref(mount), 0) == 0\n"
            "there = os.open(TREE, os.O_RDONLY)\nfd = libc.open_by_handle_at(there, handle, os.O_RDONLY)\n"
            "assert fd >= 0\n" + WORKED,
            claims,
            privileged=True,
        ),
        Probe(
            "open a disk",
            "import stat\ndevice = os.stat(TREE).st_dev\nos.mknod('disk', stat.S_IFBLK | 0o600, device)\n"
            f"os.read(os.open('disk', os.O_RDONLY), 1)\n{WORKED}",
            claims,
            privileged=True,
            may_fail_outside=True,
        ),
        Probe(
            "see disks in /dev",
            "import stat\nfor name in os.listdir('/dev'):\n"
            f"    if stat.S_ISBLK(os.stat('/dev/' + name).st_mode): {WORKED}",
            claims,
            may_fail_outside=True,
        ),
        Probe("speak to docker", "ask(socket.AF_UNIX, PLACE + '/docker.sock')", tells),
        Probe("speak to the ssh agent", "ask(socket.AF_UNIX, PLACE + '/agent.sock')", tells),
        Probe("speak to the desktop without a file", "ask(socket.AF_UNIX, ABSTRACT)", tells),
    ]


def _writes() -> list[Probe]:
    return [
        Probe("write beside the tree", "write(SLOT + '/planted')", wrote("slot", "planted")),
        Probe("write outside", "write(PLACE + '/outside/file.txt')", wrote("place", "outside/file.txt")),
        Probe("write .bashrc", "write(HOME + '/.bashrc')", wrote("home", ".bashrc")),
        Probe("add a key for ssh", "write(HOME + '/.ssh/authorized_keys')", wrote("home", ".ssh/authorized_keys")),
        Probe(
            "start with the desktop",
            "write(HOME + '/.config/autostart/x.desktop')",
            wrote("home", ".config/autostart/x.desktop"),
        ),
        Probe(
            "add a unit of systemd",
            "write(HOME + '/.config/systemd/user/x.service')",
            wrote("home", ".config/systemd/user/x.service"),
        ),
        Probe("replace a program", "write(HOME + '/.local/bin/tool')", wrote("home", ".local/bin/tool")),
        Probe("poison a cache", "write(HOME + '/.cache/pip/wheel')", wrote("home", ".cache/pip/wheel")),
        Probe("give claude a hook", "write(HOME + '/.claude/settings.json')", wrote("home", ".claude/settings.json")),
        Probe("give codex a server", "write(HOME + '/.codex/config.toml')", wrote("home", ".codex/config.toml")),
        Probe(
            "switch the sandbox off",
            "write(HOME + '/.config/locus/settings.toml')",
            wrote("home", ".config/locus/settings.toml"),
        ),
        Probe("change our journal", "write(STATE + '/journal.sqlite3')", wrote("state", "journal.sqlite3")),
        Probe("change our git-dir", "write(SLOT + '/git/config')", wrote("slot", "git/config")),
        Probe("plant a hook in our git-dir", "write(SLOT + '/git/hooks/x')", wrote("slot", "git/hooks/x")),
        Probe("change the user's checkout", "write(CHECKOUT + '/README.md')", wrote("checkout", "README.md")),
        Probe("change the user's .git", "write(CHECKOUT + '/.git/config')", wrote("checkout", ".git/config")),
        Probe(
            "plant a hook in the user's .git",
            "write(CHECKOUT + '/.git/hooks/post-checkout')",
            wrote("checkout", ".git/hooks/post-checkout"),
        ),
        Probe("write to the remote past git", "write(PLACE + '/shop.git/config')", wrote("place", "shop.git/config")),
        Probe(
            "write through a link",
            "os.symlink(PLACE + '/outside', 'out'); write(TREE + '/out/file.txt')",
            wrote("place", "outside/file.txt"),
        ),
        Probe(
            "move a file out",
            "write(TREE + '/x'); os.rename(TREE + '/x', PLACE + '/outside/file.txt')",
            wrote("place", "outside/file.txt"),
        ),
        Probe(
            "replace the tree by a link",
            "os.rename(TREE, TREE + '.old'); os.symlink(HOME, TREE); print('it worked'); os.remove(TREE); "
            "os.rename(TREE + '.old', TREE)",
            claims,
        ),
        Probe(
            "write to the system",
            f"if any(os.access(p, os.W_OK) for p in ('/etc', '/usr/bin', '/etc/cron.d', '/var/spool')): {WORKED}",
            claims,
            privileged=True,
        ),
        Probe(
            "set the kernel",
            f"path = '/proc/sys/kernel/core_pattern'\nkept = open(path).read()\nopen(path, 'w').write(kept)\n{WORKED}",
            claims,
            privileged=True,
            may_fail_outside=True,
        ),
        Probe(
            "set control groups",
            f"if any(os.access(p, os.W_OK) for p in glob.glob('/sys/fs/cgroup/*')): {WORKED}",
            claims,
            privileged=True,
            may_fail_outside=True,
        ),
    ]


def _powers() -> list[Probe]:
    return [
        Probe("kill the worker", "os.kill(VICTIM, 9)", lambda world, _: not is_alive(world.victim)),
        Probe(
            "trace the worker",
            "assert libc.ptrace(16, VICTIM, None, None) == 0\nos.waitpid(VICTIM, 0x40000000)\n"
            f"libc.ptrace(17, VICTIM, None, None)\n{WORKED}",
            claims,
            may_fail_outside=True,
        ),
        Probe(
            "make a user namespace",
            f"assert libc.unshare(0x10000000) == 0, ctypes.get_errno()\n{WORKED}",
            claims,
            may_fail_outside=True,
        ),
        Probe(
            "make a user namespace with a program",
            f"if subprocess.run(['unshare', '-U', 'true']).returncode == 0: {WORKED}",
            claims,
            may_fail_outside=True,
        ),
        Probe(
            "mount something",
            "os.mkdir('m')\nassert libc.mount(b'x', b'm', b'tmpfs', 0, None) == 0\nlibc.umount2(b'm', 0)\n" + WORKED,
            claims,
            privileged=True,
            may_fail_outside=True,
        ),
        Probe(
            "mount a folder over another",
            "os.mkdir('m')\nassert libc.mount(b'/etc', b'm', None, 4096, None) == 0\nlibc.umount2(b'm', 0)\n" + WORKED,
            claims,
            privileged=True,
            may_fail_outside=True,
        ),
        Probe(
            "gain rights by a setuid program",
            f"if 'NoNewPrivs:\\t0' in open('/proc/self/status').read(): {WORKED}",
            claims,
        ),
        Probe(
            "have capabilities",
            "held = [l for l in open('/proc/self/status') if l.startswith('CapBnd')][0].split()[1]\n"
            f"if int(held, 16): {WORKED}",
            claims,
        ),
        Probe(
            "take raw packets",
            f"socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\n{WORKED}",
            claims,
            privileged=True,
            may_fail_outside=True,
        ),
        Probe(
            "enter another process's namespaces",
            f"fd = os.open(f'/proc/{{VICTIM}}/ns/uts', os.O_RDONLY)\nassert libc.setns(fd, 0) == 0\n{WORKED}",
            claims,
            privileged=True,
            may_fail_outside=True,
        ),
    ]


def _connections() -> list[Probe]:
    provider = Network.PROVIDER
    direct = "ask(socket.AF_INET, ('127.0.0.1', TCP))"
    return [
        Probe("connect to a service of this machine", direct, tells, provider),
        Probe("connect by IPv6", "ask(socket.AF_INET6, ('::1', TCP6))", tells, provider),
        Probe("speak to the desktop from a network of its own", "ask(socket.AF_UNIX, ABSTRACT)", tells, provider),
        Probe(
            "send a datagram, as for a name",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'leak', ('127.0.0.1', UDP))\ntime.sleep(0.5)",
            lambda world, _: b"leak" in world.heard,
            provider,
        ),
        *(
            Probe(f"tunnel to {host}", f"ask(socket.{family}, ({host!r}, {port}), proxied=True)", tells, provider)
            for host, family, port in (
                ("127.0.0.1", "AF_INET", "TCP"),
                ("localhost", "AF_INET", "TCP"),
                ("127.1", "AF_INET", "TCP"),
                ("2130706433", "AF_INET", "TCP"),
                ("0x7f000001", "AF_INET", "TCP"),
                ("0.0.0.0", "AF_INET", "TCP"),
                ("::1", "AF_INET6", "TCP6"),
                ("::ffff:127.0.0.1", "AF_INET6", "TCP"),
            )
        ),
        Probe(
            "ask for a page",
            "import urllib.request\nprint(urllib.request.urlopen(f'http://127.0.0.1:{TCP}/', timeout=5).read())",
            tells,
            provider,
        ),
        Probe(
            "ask for a page without the proxy",
            "import urllib.request\nos.environ['no_proxy'] = '*'\n"
            "print(urllib.request.urlopen(f'http://127.0.0.1:{TCP}/', timeout=5).read())",
            tells,
            provider,
        ),
        Probe(
            "be reached by a shell",
            f"subprocess.run(['git', 'ls-remote', f'http://127.0.0.1:{{TCP}}/x'])\n{direct}",
            tells,
            provider,
        ),
    ]


PROBES = [*_reads(), *_writes(), *_powers(), *_connections()]
ROOT = os.geteuid() == 0
