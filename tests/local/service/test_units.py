"""What a service looks like to systemd and launchd: whole, quoted, and without a key."""

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from locus.local.errors import LocalError
from locus.local.service.units import Part, Service, launchd_plist, service, systemd_unit

ENVIRON = {"PATH": "/usr/bin", "LOCUS_API_KEY": "lcs_secret", "GITHUB_TOKEN": "ghp_secret", "LOCUS_STATE_DIR": "/s"}


def made(part: Part, root: str = "/home/ada/shop", python: str = "/usr/bin/python3") -> Service:
    return service(
        part, python=python, root=Path(root), home=Path("/home/ada"), state=Path("/home/ada/state"), environ=ENVIRON
    )


@pytest.mark.parametrize("part", list(Part))
def test_a_service_has_no_key_in_its_file(part: Part) -> None:
    for text in (systemd_unit(made(part)), launchd_plist(made(part))):
        assert "secret" not in text
        assert "LOCUS_STATE_DIR" in text


def test_a_worker_that_stops_itself_is_not_started_again_and_a_bot_is() -> None:
    assert "Restart=on-failure" in systemd_unit(made(Part.BOT))
    assert "Restart=on-abnormal" in systemd_unit(made(Part.WORKER))
    assert plistlib.loads(launchd_plist(made(Part.WORKER)).encode())["KeepAlive"] == {"Crashed": True}


def test_a_run_gets_the_time_to_park_its_work() -> None:
    unit = systemd_unit(made(Part.WORKER)).splitlines()

    assert "TimeoutStopSec=90" in unit
    assert "KillMode=mixed" in unit


def test_a_run_that_was_asked_to_end_has_not_failed() -> None:
    assert "SuccessExitStatus=129 130 143" in systemd_unit(made(Part.WORKER)).splitlines()


@pytest.mark.parametrize("root", ["/home/a da/$HOME", '/home/"x" %h/\\n', "/tmp/-C/--help"])
def test_a_path_stays_one_word_whatever_is_in_it(root: str) -> None:
    one = made(Part.WORKER, root=root)
    line = next(line for line in systemd_unit(one).splitlines() if line.startswith("ExecStart="))

    assert unquoted(line.removeprefix("ExecStart=")) == list(one.argv)
    assert plistlib.loads(launchd_plist(one).encode())["ProgramArguments"] == list(one.argv)


def unquoted(line: str) -> list[str]:
    """The words of a line as systemd.service(5) reads them."""
    words = []
    for word in line[1:-1].split('" "'):
        plain = word.replace("%%", "%").replace("$$", "$")
        words.append(plain.replace('\\"', '"').replace("\\\\", "\\"))
    return words


def test_a_line_break_in_a_path_is_refused() -> None:
    with pytest.raises(LocalError, match="cannot be part"):
        made(Part.WORKER, root="/home/ada\nExecStartPost=evil")


def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    for part in Part:
        file = tmp_path / f"{part}.service"
        file.write_text(systemd_unit(made(part, root=str(tmp_path))))
        done = subprocess.run(
            ["systemd-analyze", "--user", "verify", str(file)], capture_output=True, text=True, check=False
        )
        said = [line for line in done.stderr.splitlines() if str(file.name) in line]
        assert not said, said
