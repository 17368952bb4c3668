"""More of what an agent may plant for git, many things in one tree: each is first seen to work, none works on ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.local.git import test_execution
from tests.local.git.project import Bench, git
from tests.local.git.test_execution import COMMIT, FETCH, PUSH, Probe, Trap, edit, everything


def absolute_hooks_path(trap: Trap) -> None:
    trap.hook(trap.place / "more-hooks")
    trap.config(("core.hooksPath", str(trap.place / "more-hooks")))


def hooks_are_a_link(trap: Trap) -> None:
    trap.hook(trap.place / "linked-hooks")
    trap.config(("core.hooksPath", ".git/hooks"))
    hooks = trap.tree / ".git" / "hooks"
    if hooks.exists():
        hooks.rename(trap.place / "old-hooks")
    hooks.symlink_to(trap.place / "linked-hooks")


def included_for_this_git_dir(trap: Trap) -> None:
    (trap.place / "if.ini").write_text(f"[core]\n\tfsmonitor = {trap.script}\n")
    trap.config((f"includeIf.gitdir:{trap.tree}/.path", str(trap.place / "if.ini")))


def included_on_this_branch(trap: Trap) -> None:
    (trap.place / "branch.ini").write_text(f"[core]\n\tfsmonitor = {trap.script}\n")
    trap.config(("includeIf.onbranch:**.path", str(trap.place / "branch.ini")))


def the_config_is_a_link(trap: Trap) -> None:
    config = trap.tree / ".git" / "config"
    outside = trap.place / "config"
    outside.write_text(config.read_text() + f"[core]\n\tfsmonitor = {trap.script}\n")
    config.unlink()
    config.symlink_to(outside)


def a_common_directory_of_its_own(trap: Trap) -> None:
    (trap.tree / ".git" / "commondir").write_text(f"{trap.evil_git_dir()}\n")


def attributes_file(trap: Trap) -> None:
    (trap.place / "attributes").write_text("* filter=y\n")
    trap.config(("core.attributesFile", str(trap.place / "attributes")), ("filter.y.clean", str(trap.script)))


def attributes_in_a_folder(trap: Trap) -> None:
    (trap.tree / "src" / ".gitattributes").write_text("* filter=z\n")
    trap.config(("filter.z.clean", str(trap.script)), ("filter.z.required", "true"))


def smudge_by_info_attributes(trap: Trap) -> None:
    (trap.tree / ".git" / "info").mkdir(exist_ok=True)
    (trap.tree / ".git" / "info" / "attributes").write_text("* filter=w\n")
    trap.config(("filter.w.smudge", str(trap.script)))
    (trap.tree / "README.md").unlink()


def textconv_in_a_log(trap: Trap) -> None:
    trap.attributes("* diff=log")
    trap.config(("diff.log.textconv", str(trap.script)))


def textconv_cached(trap: Trap) -> None:
    trap.attributes("* diff=cached")
    trap.config(("diff.cached.textconv", str(trap.script)), ("diff.cached.cachetextconv", "true"))


def diff_tool(trap: Trap) -> None:
    trap.config(("diff.tool", "own"), ("difftool.own.cmd", str(trap.program)), ("difftool.prompt", "false"))


def trailer_command(trap: Trap) -> None:
    trap.config(("trailer.task.command", str(trap.program)))


def trailer_cmd(trap: Trap) -> None:
    trap.config(("trailer.attempt.cmd", str(trap.program)))


def signing_by_ssh(trap: Trap) -> None:
    trap.config(
        ("gpg.format", "ssh"),
        ("gpg.ssh.program", str(trap.program)),
        ("user.signingKey", "key::x"),
        ("commit.gpgSign", "true"),
    )


def key_from_a_command(trap: Trap) -> None:
    trap.config(("gpg.format", "ssh"), ("gpg.ssh.defaultKeyCommand", str(trap.program)), ("commit.gpgSign", "true"))


def signing_by_x509(trap: Trap) -> None:
    trap.config(("gpg.format", "x509"), ("gpg.x509.program", str(trap.program)), ("commit.gpgSign", "true"))


def signed_tags(trap: Trap) -> None:
    trap.config(("tag.gpgSign", "true"), ("gpg.program", str(trap.program)))


def git_proxy(trap: Trap) -> None:
    trap.config(("core.gitProxy", str(trap.program)), ("remote.origin.url", "git://nowhere.invalid/x"))


def refs_of_alternates(trap: Trap) -> None:
    trap.config(("core.alternateRefsCommand", str(trap.program)), ("remote.origin.url", str(trap.bench.project.remote)))


def instead_of_by_a_program(trap: Trap) -> None:
    trap.config(
        ("protocol.ext.allow", "always"),
        (f"url.ext::{trap.program} .insteadOf", "shop:"),
        ("remote.origin.url", "shop:x"),
    )


def push_default(trap: Trap) -> None:
    trap.config(("remote.thief.url", str(trap.thief)), ("remote.pushDefault", "thief"), ("push.default", "current"))


def push_remote_of_the_branch(trap: Trap) -> None:
    trap.config(("remote.other.url", str(trap.thief)), ("push.default", "current"))
    branch = git(trap.tree, "symbolic-ref", "--short", "HEAD", env=trap.bench.project.env).strip()
    trap.config((f"branch.{branch}.pushRemote", "other"))
    trap.bench.agent("commit", "-q", "--allow-empty", "-m", "x")  # something to push


def server_program(trap: Trap) -> None:
    trap.config(
        ("remote.origin.url", "ssh://nowhere.invalid/x"),
        ("ssh.variant", "simple"),
        ("core.sshCommand", str(trap.program)),
    )


EMPTY = (*COMMIT, "--allow-empty")
TAG = ("tag", "-m", "x", "agents-own")
# Together in one tree, as far as they do not take each other's place.
GROUPS: dict[str, tuple[Probe, ...]] = {
    "hooks and included files": (
        Probe(absolute_hooks_path, COMMIT),
        Probe(hooks_are_a_link, COMMIT),
        Probe(included_for_this_git_dir, ("status",)),
        Probe(included_on_this_branch, ("status",)),
        Probe(the_config_is_a_link, ("status",)),
    ),
    "filters and diffs": (
        Probe(attributes_file, ("add", "-A")),
        Probe(attributes_in_a_folder, ("add", "-A")),
        Probe(smudge_by_info_attributes, ("checkout", "-f", "HEAD", "--", "README.md")),
        Probe(textconv_in_a_log, ("log", "-p", "-1")),
        Probe(textconv_cached, ("diff",)),
        Probe(diff_tool, ("difftool", "-y")),
    ),
    "commits": (
        Probe(trailer_command, (*EMPTY, "--trailer", "task=1")),
        Probe(trailer_cmd, (*EMPTY, "--trailer", "attempt=1")),
        Probe(signed_tags, TAG),
        Probe(signing_by_ssh, EMPTY),
        Probe(signing_by_x509, EMPTY),
    ),
    "a key": (Probe(key_from_a_command, EMPTY),),
    "remotes": (
        Probe(git_proxy, FETCH),
        Probe(server_program, ("ls-remote", "origin")),
        Probe(instead_of_by_a_program, FETCH),
        Probe(push_default, ("push", "-q")),
        Probe(push_remote_of_the_branch, ("push", "-q")),
    ),
    "another git directory": (Probe(a_common_directory_of_its_own, ("status",)),),
}


@pytest.mark.parametrize("group", GROUPS)
async def test_what_plain_git_executes_is_not_executed_by_ours_planted_together(
    bench: Bench, tmp_path: Path, group: str
) -> None:
    (tmp_path / "trap").mkdir()
    trap = Trap(bench, tmp_path / "trap")
    for probe in GROUPS[group]:
        edit(bench)
        (bench.tree / "more.txt").write_text(probe.plant.__name__)
        probe.plant(trap)
        git(bench.tree / probe.where, *probe.control, env=trap.bench.project.env, check=False)
        assert trap.sprung(), f"the control: plain git in this tree has to execute {probe.plant.__name__}"
        trap.reset()
        if probe.plant is textconv_in_a_log:
            (bench.tree / ".gitattributes").unlink()
    edit(bench)

    await everything(bench)

    assert not trap.sprung(), trap.canary.read_text()


def test_there_are_more_than_forty_probes() -> None:
    plants: list[Callable[[Trap], None]] = [probe.plant for probes in GROUPS.values() for probe in probes]
    plants += [probe.plant for probe in test_execution.PROBES]
    assert len(set(plants)) == len(plants) >= 45
    assert PUSH in {probe.control for probe in test_execution.PROBES}
