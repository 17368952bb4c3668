"""Which forge a remote belongs to, and which token it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from locus.local.errors import Usage
from locus.local.forge.base import ForgeError, Proposal, State, propose
from locus.local.forge.github import GitHub
from locus.local.forge.none import NoForge
from locus.local.forge.table import Choice, forge_for
from locus.local.forge.tokens import github_token
from locus.local.git.remote import Remote


def remote(url: str) -> Remote:
    return Remote(name="origin", fetch_url=url, push_url=url, effective_url=url)


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    """No `gh` on PATH, unless a test puts one there."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), **variables}


def write_gh(tmp_path: Path, script: str) -> None:
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com/acme/shop.git", "https://api.github.com"),
        ("https://x-access-token:secret@github.com/acme/shop", "https://api.github.com"),
        ("git@github.com:acme/shop.git", "https://api.github.com"),
        ("ssh://git@ssh.github.com:443/acme/shop.git", "https://api.github.com"),
        ("https://acme.ghe.com/acme/shop.git", "https://api.acme.ghe.com"),
        ("git@github.acme.example:acme/shop.git", "https://github.acme.example/api/v3"),
        ("ssh://git@github.acme.example:2222/acme/shop.git", "https://github.acme.example/api/v3"),
        ("https://github.acme.example:8443/acme/shop.git", "https://github.acme.example:8443/api/v3"),
    ],
)
async def test_a_github_address_gives_github(tmp_path: Path, url: str, api: str) -> None:
    forge = await forge_for(remote(url), environment(tmp_path), tmp_path)

    assert isinstance(forge, GitHub)
    assert (forge.api, forge.owner, forge.repository) == (api, "acme", "shop")


@pytest.mark.parametrize(
    "url",
    [
        "/srv/git/shop.git",
        "file:///srv/git/shop.git",
        "https://gitlab.com/acme/shop.git",
        "https://notgithub.com/acme/shop.git",
        "https://github.com.evil.example/acme/shop.git",
        "https://github.com/only-one-part",
        "https://github.com/../shop",
    ],
)
async def test_any_other_address_gives_a_file(tmp_path: Path, url: str) -> None:
    assert isinstance(await forge_for(remote(url), environment(tmp_path), tmp_path), NoForge)


async def test_a_choice_of_the_user_outranks_the_address(tmp_path: Path) -> None:
    choice = Choice(kind="github", api="https://code.acme.example/api/v3")
    env = environment(tmp_path, GITHUB_TOKEN="mine")

    forge = await forge_for(remote("git@code:acme/shop.git"), env, tmp_path, choice=choice)

    assert isinstance(forge, GitHub)
    assert (forge.api, forge.token) == ("https://code.acme.example/api/v3", "mine")


@pytest.mark.parametrize(
    "choice", [Choice(kind="gitea"), Choice(api="http://github.example/api"), Choice(api="file:///etc/passwd")]
)
async def test_a_choice_that_cannot_be_is_wrong_usage(tmp_path: Path, choice: Choice) -> None:
    with pytest.raises(Usage):
        await forge_for(remote("https://github.com/acme/shop"), environment(tmp_path), tmp_path, choice=choice)


@pytest.mark.parametrize(
    ("host", "variables", "token"),
    [
        ("github.com", {"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, "a"),
        ("github.com", {"GITHUB_TOKEN": " ", "GH_TOKEN": "b"}, "b"),
        ("github.com", {"GH_ENTERPRISE_TOKEN": "e"}, None),
        ("github.acme.example", {"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, None),
        ("github.acme.example", {"GITHUB_TOKEN": "a", "GH_ENTERPRISE_TOKEN": "e"}, "e"),
        ("github.acme.example", {"GITHUB_TOKEN": "a", "GITHUB_SERVER_URL": "https://github.acme.example"}, "a"),
    ],
)
async def test_a_token_goes_only_to_the_host_it_is_for(
    tmp_path: Path, host: str, variables: dict[str, str], token: str | None
) -> None:
    assert await github_token(host, environment(tmp_path, **variables), cwd=tmp_path) == token


async def test_the_login_of_gh_is_used_for_its_host(tmp_path: Path) -> None:
    write_gh(tmp_path, '[ "$*" = "auth token --hostname github.com" ] && echo gho_fromgh || exit 1')

    assert await github_token("github.com", environment(tmp_path), cwd=tmp_path) == "gho_fromgh"
    assert await github_token("github.acme.example", environment(tmp_path), cwd=tmp_path) is None


@pytest.mark.parametrize("script", ["exit 1", "echo 'you are not signed in'", "printf '\\033[1m'", "true"])
async def test_a_gh_without_login_gives_no_token(tmp_path: Path, script: str) -> None:
    write_gh(tmp_path, script)

    assert await github_token("github.com", environment(tmp_path), cwd=tmp_path) is None


async def test_gh_does_not_see_our_own_secrets(tmp_path: Path) -> None:
    write_gh(tmp_path, f"/usr/bin/env > {tmp_path}/seen; echo gho_x")
    env = environment(tmp_path, LOCUS_API_KEY="lcs_secret", DATABASE_URL="postgresql://u:pw@h/d")

    await github_token("github.com", env, cwd=tmp_path)

    seen = (tmp_path / "seen").read_text()
    assert f"HOME={tmp_path}" in seen
    assert "lcs_secret" not in seen and "u:pw" not in seen


async def test_without_a_forge_the_description_is_in_a_file_and_is_replaced(tmp_path: Path) -> None:
    forge = await forge_for(remote("/srv/git/shop.git"), environment(tmp_path), tmp_path / "descriptions")
    proposal = Proposal(head="locus/sprint-1", base="main", title="Sprint 1", body="Two tasks.")

    first = await propose(forge, proposal)
    second = await propose(forge, Proposal(proposal.head, "main", "Sprint 1", "Three tasks."))

    assert first == second and (first.number, first.url, first.state) == (None, None, State.WRITTEN)
    assert first.path is not None
    assert first.path.read_text() == "# Sprint 1\n\nlocus/sprint-1 → main\n\nThree tasks.\n"
    assert len(list(first.path.parent.iterdir())) == 1


async def test_two_branches_with_similar_names_have_two_files(tmp_path: Path) -> None:
    forge = NoForge(tmp_path)

    paths = {(await forge.create(Proposal(head, "main", "t", "b"))).path for head in ("a/b", "a-b", "../b")}

    assert len(paths) == 3
    assert {path.parent for path in paths if path} == {tmp_path}


async def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    forge = NoForge(tmp_path / "file" / "below")

    with pytest.raises(ForgeError, match="cannot be written"):
        await forge.create(Proposal("h", "main", "t", "b"))
