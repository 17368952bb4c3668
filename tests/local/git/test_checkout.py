"""What we learn of the user's repository, and what we say when there is none to work with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.git.project import Project, fingerprint, git

from locus.local.errors import LocalError
from locus.local.git import checkout as checkouts
from locus.local.git.commit import Identity
from locus.local.git.remote import Address, check_branch


async def test_the_checkout_is_found_from_any_directory_in_it(project: Project) -> None:
    found = await checkouts.find(project.root / "src", project.env)

    assert found.root == project.root
    assert (found.branch, found.head) == ("main", project.git("rev-parse", "HEAD"))
    assert (found.remote.name, found.remote.push_url) == ("origin", str(project.remote))
    assert found.identity == Identity("Ada", "ada@example.org")
    assert found.complete and found.object_format == "sha1"


async def test_looking_does_not_write_a_byte(project: Project) -> None:
    (project.root / "README.md").touch()  # a stale index: the next plain `git status` would write it
    before = fingerprint(project.root)

    found = await project.checkout()
    dirt = await found.dirt()

    assert fingerprint(project.root) == before
    assert dirt == ()
    project.git("status")
    assert fingerprint(project.root) != before, "the control: plain git does write the index"


async def test_dirt_names_what_is_staged_changed_and_untracked(project: Project) -> None:
    (project.root / "README.md").write_text("changed\n")
    (project.root / "staged.txt").write_text("x\n")
    project.git("add", "staged.txt")
    (project.root / "new\nfile").write_text("x\n")
    (project.root / "ignored.log").write_text("x\n")

    assert sorted(await (await project.checkout()).dirt()) == ["README.md", "new\nfile", "staged.txt"]


async def test_outside_of_a_repository_there_is_a_remedy(project: Project, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()

    with pytest.raises(LocalError, match="not inside a git repository") as refusal:
        await checkouts.find(tmp_path / "plain", project.env)

    assert refusal.value.remedy is not None and "git init" in refusal.value.remedy


async def test_a_bare_repository_and_a_git_directory_are_no_checkout(project: Project) -> None:
    for place in (project.remote, project.root / ".git"):
        with pytest.raises(LocalError, match="bare"):
            await checkouts.find(place, project.env)


async def test_a_repository_without_a_commit_is_told_so(project: Project, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "empty", env=project.env)

    with pytest.raises(LocalError, match="no commit yet"):
        await checkouts.find(tmp_path / "empty", project.env)


async def test_a_repository_without_a_remote_is_told_how_to_add_one(project: Project) -> None:
    project.git("remote", "remove", "origin")

    with pytest.raises(LocalError, match="git remote add origin"):
        await project.checkout()


async def test_without_git_on_path_the_message_says_so(project: Project) -> None:
    with pytest.raises(LocalError, match="git is not installed"):
        await checkouts.find(project.root, {**project.env, "PATH": "/nonexistent"})


async def test_a_repository_of_somebody_else_is_not_trusted_silently(project: Project) -> None:
    env = {**project.env, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    # git's own switch for tests; everything else that starts with GIT_ is taken away, so it comes through a wrapper.
    wrapper = project.place / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text('#!/bin/sh\nPATH="${PATH#*:}" GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec git "$@"\n')
    wrapper.chmod(0o755)
    env["PATH"] = f"{wrapper.parent}:{project.env['PATH']}"

    with pytest.raises(LocalError, match=r"safe\.directory"):
        await checkouts.find(project.root, env)


async def test_the_remote_that_the_branch_follows_is_taken_before_origin(project: Project) -> None:
    project.git("remote", "add", "upstream", "https://example.org/shop.git")
    project.git("config", "branch.main.remote", "upstream")

    assert (await project.checkout()).remote.name == "upstream"
    assert (await checkouts.find(project.root, project.env, remote="origin")).remote.name == "origin"


async def test_of_several_remotes_none_is_guessed(project: Project) -> None:
    project.git("remote", "rename", "origin", "one")
    project.git("remote", "add", "two", "https://example.org/shop.git")

    with pytest.raises(LocalError, match="--remote"):
        await project.checkout()


async def test_a_remote_that_does_not_exist_is_refused_with_those_that_do(project: Project) -> None:
    with pytest.raises(LocalError, match="It has: origin"):
        await checkouts.find(project.root, project.env, remote="upstream")


async def test_a_push_address_and_rewriting_rules_are_seen(project: Project) -> None:
    project.git("remote", "set-url", "origin", "work:acme/shop.git")
    project.git("remote", "set-url", "--push", "origin", "work:acme/pushed.git")
    project.git("config", "url.https://github.com/.insteadOf", "work:")

    remote = (await project.checkout()).remote

    assert (remote.fetch_url, remote.push_url) == ("work:acme/shop.git", "work:acme/pushed.git")
    assert remote.effective_url == "https://github.com/acme/pushed.git"


async def test_a_relative_address_is_meant_from_the_users_directory(project: Project) -> None:
    project.git("remote", "set-url", "origin", "../../remote.git")

    checkout = await project.checkout()

    assert checkout.remote.push_url == str(project.remote)


async def test_without_an_identity_the_commits_are_the_agents(project: Project) -> None:
    (project.home / ".gitconfig").write_text("")

    assert (await project.checkout()).identity == Identity.of_nobody()


async def test_only_network_settings_of_the_repository_are_kept(project: Project) -> None:
    project.git("config", "http.extraHeader", "Authorization: Basic c2VjcmV0")
    project.git("config", "credential.helper", "store")
    project.git("config", "core.fsmonitor", "/bin/evil")
    project.git("config", "filter.lfs.clean", "/bin/evil")
    git(project.root, "config", "--global", "http.proxy", "http://global", env=project.env)

    reach = (await project.checkout()).reach

    assert reach.settings == (("http.extraheader", "Authorization: Basic c2VjcmV0"), ("credential.helper", "store"))


async def test_a_linked_worktree_borrows_from_the_repository_it_belongs_to(project: Project) -> None:
    project.git("worktree", "add", "-q", "-b", "side", "../side")

    found = await checkouts.find(project.root.parent / "side", project.env)

    assert found.root == project.root.parent / "side"
    assert (found.common_dir, found.branch) == (project.root / ".git", "side")
    assert found.objects.is_dir()


async def test_a_shallow_and_a_partial_clone_are_known_to_be_incomplete(project: Project) -> None:
    place, url = project.place, f"file://{project.remote}"
    project.git("commit", "-q", "--allow-empty", "-m", "two")
    project.git("push", "-q", "origin", "main")
    project.at_remote("config", "uploadpack.allowFilter", "true")
    git(place, "clone", "-q", "--depth=1", url, "shallow", env=project.env)
    git(place, "clone", "-q", "--filter=blob:none", url, "partial", env=project.env)

    for name in ("shallow", "partial"):
        assert not (await checkouts.find(place / name, project.env)).complete


@pytest.mark.parametrize(
    ("url", "scheme", "host", "path", "secrets"),
    [
        ("https://github.com/acme/shop.git", "https", "github.com", "acme/shop.git", ()),
        ("https://ada:pass@Example.ORG:8443/a/b", "https", "example.org", "a/b", ("pass",)),
        ("https://ghp_token@github.com/a/b", "https", "github.com", "a/b", ("ghp_token",)),
        ("https://ada:p@ss@example.org/a", "https", "example.org", "a", ("p@ss",)),
        ("git@github.com:acme/shop.git", "ssh", "github.com", "acme/shop.git", ()),
        ("ssh://git@example.org:22/a/b", "ssh", "example.org", "a/b", ()),
        ("[::1]:a/b", "ssh", "::1", "a/b", ()),
        ("work:a/b", "ssh", "work", "a/b", ()),
        ("/srv/git/a:b.git", "file", None, "/srv/git/a:b.git", ()),
        ("./a:b", "file", None, "./a:b", ()),
        ("file:///srv/git/a", "file", None, "srv/git/a", ()),
        ("https://example.org:port/a", "https", "example.org", "a", ()),
    ],
)
def test_an_address_is_taken_apart_as_git_does(
    url: str, scheme: str, host: str | None, path: str, secrets: tuple[str, ...]
) -> None:
    address = Address.of(url)

    assert (address.scheme, address.host, address.path, address.secrets) == (scheme, host, path, secrets)


GOOD = ["main", "locus/sprint-1", "a.b", "ä/€", "x@y", "feature#1", "a-b_c"]
BAD = ["-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a/", "/a", "a//b", "a.lock", "a.lock/b"]
BAD += [".a", "a/.b", "a.", "@", "a@{b", "a\x7f", "a\nb", "", "--mirror", "+main", "x" * 201]


@pytest.mark.parametrize("name", GOOD)
async def test_names_that_git_accepts_are_accepted(project: Project, name: str) -> None:
    project.git("check-ref-format", f"refs/heads/{name}")

    assert check_branch(name) == name


@pytest.mark.parametrize("name", BAD)
def test_names_that_git_or_a_command_line_would_misread_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a name for a branch"):
        check_branch(name)
