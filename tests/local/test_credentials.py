"""Keys of the user: private, whole, and never shown."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path
from uuid import uuid4

import pytest

from locus.local.credentials import Credential, find, forget, store, stored
from locus.local.errors import LocalError, NotSignedIn

SERVER = "https://locus.example.org"
SECRET = "lcs_verysecret"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"LOCUS_CONFIG_DIR": str(tmp_path / "config")}


def test_a_stored_key_is_found_again_with_its_workspace(environ: dict[str, str]) -> None:
    credential = Credential(server=SERVER, secret=SECRET, workspace_id=uuid4(), workspace_name="Web")

    store(credential, environ=environ)

    assert find(SERVER, environ=environ) == credential


def test_keys_of_several_servers_live_side_by_side(environ: dict[str, str]) -> None:
    store(Credential(server=SERVER, secret="one"), environ=environ)
    store(Credential(server="http://127.0.0.1:4700", secret="two"), environ=environ)
    store(Credential(server=SERVER, secret="three"), environ=environ)

    assert find(SERVER, environ=environ).secret == "three"
    assert find("http://127.0.0.1:4700", environ=environ).secret == "two"


def test_the_variable_wins_over_the_stored_key(environ: dict[str, str]) -> None:
    store(Credential(server=SERVER, secret=SECRET, workspace_id=uuid4()), environ=environ)

    found = find(SERVER, environ={**environ, "LOCUS_API_KEY": "lcs_other"})

    assert (found.secret, found.workspace_id) == ("lcs_other", None)


def test_without_a_key_the_remedy_is_to_sign_in(environ: dict[str, str]) -> None:
    with pytest.raises(NotSignedIn, match="locus login") as raised:
        find(SERVER, environ=environ)

    assert raised.value.exit_code == 3


def test_a_forgotten_key_is_gone(environ: dict[str, str]) -> None:
    path = store(Credential(server=SERVER, secret=SECRET), environ=environ)

    assert forget(SERVER, environ=environ)
    assert not forget(SERVER, environ=environ)
    assert SECRET not in path.read_text()


def test_only_the_user_can_read_the_file_and_its_folder(environ: dict[str, str]) -> None:
    path = store(Credential(server=SERVER, secret=SECRET), environ=environ)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(mode: int, environ: dict[str, str]) -> None:
    path = store(Credential(server=SERVER, secret=SECRET), environ=environ)
    path.chmod(mode)

    with pytest.raises(LocalError, match=f"chmod 600 {path}"):
        stored(SERVER, environ=environ)


@pytest.mark.parametrize("content", [f'{{"servers": "{SECRET}"', f'{{"servers": {{"x": "{SECRET}"}}}}', "[]"])
def test_a_broken_file_is_told_without_its_content(content: str, environ: dict[str, str]) -> None:
    path = store(Credential(server=SERVER, secret=SECRET), environ=environ)
    path.write_text(content)

    with pytest.raises(LocalError, match="cannot be read as credentials") as raised:
        stored(SERVER, environ=environ)

    assert SECRET not in str(raised.value)


def test_a_file_of_a_newer_program_is_left_alone(environ: dict[str, str]) -> None:
    path = store(Credential(server=SERVER, secret=SECRET), environ=environ)
    newer = path.read_text().replace("{", '{"version": 2,', 1)
    path.write_text(newer)

    with pytest.raises(LocalError, match="newer"):
        store(Credential(server=SERVER, secret="x"), environ=environ)

    assert path.read_text() == newer


def test_a_credential_does_not_show_its_secret() -> None:
    assert SECRET not in repr(Credential(server=SERVER, secret=SECRET))


def _store_many(directory: str, name: str, together: Barrier) -> None:
    together.wait(60)
    for n in range(40):
        store(Credential(server=f"https://{name}-{n}.example.org", secret="x"), environ={"LOCUS_CONFIG_DIR": directory})


def test_several_commands_at_once_lose_no_key(environ: dict[str, str]) -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(3)
    arguments = [(environ["LOCUS_CONFIG_DIR"], name, together) for name in "abc"]
    writers = [spawn.Process(target=_store_many, args=one) for one in arguments]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    names = [f"https://{name}-{n}.example.org" for name in "abc" for n in range(40)]
    assert [name for name in names if stored(name, environ=environ) is None] == []
