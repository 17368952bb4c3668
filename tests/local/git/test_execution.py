"""Nothing that an agent plants in its tree is executed by our git, and nothing is sent elsewhere.

Each probe is first shown to work: plain git in that tree does run it. Then everything we do with a tree is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.local.git.project import BRANCH, Bench, Project, git, make_bench

from locus.local.git.publish import Pushed, Rebased, Rejected


@dataclass
class Trap:
    """What a probe plants its things with; `sprung` says whether one of them ran."""

    bench: Bench
    place: Path

    @property
    def canary(self) -> Path:
        return self.place / "canary"

    @property
    def script(self) -> Path:
        """Leaves a mark, and otherwise passes on what it is given, as a filter does."""
        path = self.place / "script"
        if not path.exists():
            path.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{self.canary}'\ncat\n")
            path.chmod(0o755)
        return path

    @property
    def program(self) -> Path:
        """Leaves a mark and fails, for where a filter would wait for its input for ever."""
        path = self.place / "program"
        path.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{self.canary}'\nexit 1\n")
        path.chmod(0o755)
        return path

    @property
    def thief(self) -> Path:
        """A repository that tells when somebody pushes to it."""
        path = self.place / "thief.git"
        if not path.exists():
            git(self.place, "init", "-q", "--bare", path, env=self.bench.project.env)
            hook = path / "hooks" / "post-receive"
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(self.script.read_text())
            hook.chmod(0o755)
        return path

    @property
    def tree(self) -> Path:
        return self.bench.tree

    def config(self, *pairs: tuple[str, str]) -> None:
        for name, value in pairs:
            self.bench.agent("config", name, value)

    def attributes(self, text: str) -> None:
        (self.tree / ".gitattributes").write_text(text + "\n")

    def hook(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for name in HOOKS:
            (directory / name).write_text(self.script.read_text())
            (directory / name).chmod(0o755)

    def evil_git_dir(self) -> Path:
        """A whole git directory of the agent's own, with hooks, filters and a watcher."""
        place = self.place / "evil-git-dir"
        git(self.place, "clone", "-q", "--bare", self.bench.project.remote, place, env=self.bench.project.env)
        self.hook(place / "hooks")
        for name, value in (
            ("core.bare", "false"),
            ("core.fsmonitor", str(self.script)),
            ("filter.x.clean", str(self.script)),
        ):
            git(place, f"--git-dir={place}", "config", name, value, env=self.bench.project.env)
        return place

    def sprung(self) -> bool:
        return self.canary.exists()

    def reset(self) -> None:
        self.canary.unlink(missing_ok=True)


HOOKS = ("pre-commit", "post-commit", "prepare-commit-msg", "commit-msg", "pre-push", "post-checkout", "post-merge")
HOOKS += (
    "post-index-change",
    "reference-transaction",
    "post-rewrite",
    "pre-rebase",
    "pre-merge-commit",
    "post-applypatch",
)

COMMIT = ("commit", "-qam", "x")
PUSH = ("push", "-q", "origin", "HEAD:refs/heads/agents-own")
FETCH = ("fetch", "-q", "origin")


def hooks(trap: Trap) -> None:
    trap.hook(trap.tree / ".git" / "hooks")


def hooks_path(trap: Trap) -> None:
    trap.hook(trap.tree / "build-hooks")
    trap.config(("core.hooksPath", "build-hooks"))


def included_config(trap: Trap) -> None:
    trap.hook(trap.place / "hooks")
    (trap.tree / "innocent.ini").write_text(f"[core]\n\thooksPath = {trap.place / 'hooks'}\n")
    trap.config(("include.path", "../innocent.ini"))


def fsmonitor(trap: Trap) -> None:
    trap.config(("core.fsmonitor", str(trap.script)))


def clean_filter(trap: Trap) -> None:
    trap.attributes("* filter=x")
    trap.config(("filter.x.clean", str(trap.script)))


def smudge_filter(trap: Trap) -> None:
    trap.attributes("* filter=x")
    trap.config(("filter.x.smudge", str(trap.script)))


def process_filter(trap: Trap) -> None:
    trap.attributes("* filter=x")
    trap.config(("filter.x.process", str(trap.script)))


def filter_by_info_attributes(trap: Trap) -> None:
    (trap.tree / ".git" / "info").mkdir(exist_ok=True)
    (trap.tree / ".git" / "info" / "attributes").write_text("* filter=x\n")
    trap.config(("filter.x.clean", str(trap.script)))


def textconv(trap: Trap) -> None:
    trap.attributes("* diff=x")
    trap.config(("diff.x.textconv", str(trap.script)))


def external_diff(trap: Trap) -> None:
    trap.config(("diff.external", str(trap.script)))


def external_diff_by_attribute(trap: Trap) -> None:
    trap.attributes("* diff=x")
    trap.config(("diff.x.command", str(trap.script)))


def merge_driver(trap: Trap) -> None:
    trap.attributes("* merge=x")
    trap.config(("merge.x.driver", f"{trap.script} %A"), ("merge.default", "x"))


def signing_program(trap: Trap) -> None:
    trap.config(("commit.gpgSign", "true"), ("gpg.program", str(trap.script)), ("push.gpgSign", "if-asked"))


def editor(trap: Trap) -> None:
    trap.config(("core.editor", str(trap.script)), ("sequence.editor", str(trap.script)))


def ssh_command(trap: Trap) -> None:
    trap.config(("core.sshCommand", str(trap.program)), ("remote.origin.url", "ssh://nowhere.invalid/x"))


def ext_protocol(trap: Trap) -> None:
    trap.config(("protocol.ext.allow", "always"), ("remote.origin.url", f"ext::{trap.program} %S"))


def instead_of(trap: Trap) -> None:
    remote = str(trap.bench.project.remote)
    trap.config((f"url.{trap.thief}.insteadOf", remote), ("remote.origin.url", remote))


def push_instead_of(trap: Trap) -> None:
    remote = str(trap.bench.project.remote)
    trap.config((f"url.{trap.thief}.pushInsteadOf", remote), ("remote.origin.url", remote))


def push_url(trap: Trap) -> None:
    trap.config(("remote.origin.url", str(trap.bench.project.remote)), ("remote.origin.pushurl", str(trap.thief)))


def receive_pack(trap: Trap) -> None:
    trap.config(("remote.origin.url", str(trap.bench.project.remote)), ("remote.origin.receivepack", str(trap.program)))


def upload_pack(trap: Trap) -> None:
    trap.config(("remote.origin.url", str(trap.bench.project.remote)), ("remote.origin.uploadpack", str(trap.program)))


def config_of_a_worktree(trap: Trap) -> None:
    trap.config(("extensions.worktreeConfig", "true"))
    (trap.tree / ".git" / "config.worktree").write_text(f"[core]\n\tfsmonitor = {trap.script}\n")


def git_is_a_file(trap: Trap) -> None:
    evil = trap.evil_git_dir()
    git(trap.tree, "-c", "core.fsmonitor=false", "rm", "-rq", "--cached", ".", env=trap.bench.project.env, check=False)
    trap.bench.agent("config", "core.bare", "false")
    trap.bench.tree.joinpath(".git").rename(trap.place / "old-git")
    (trap.tree / ".git").write_text(f"gitdir: {evil}\n")


def git_is_a_link(trap: Trap) -> None:
    evil = trap.evil_git_dir()
    trap.bench.tree.joinpath(".git").rename(trap.place / "old-git")
    (trap.tree / ".git").symlink_to(evil)


def git_dir_in_a_tracked_directory(trap: Trap) -> None:
    git(trap.tree / "src", "init", "-q", env=trap.bench.project.env)
    git(trap.tree / "src", "config", "core.fsmonitor", str(trap.script), env=trap.bench.project.env)


def bare_repository_in_the_tree(trap: Trap) -> None:
    place = trap.tree / "fixtures"
    git(trap.tree, "init", "-q", "--bare", place, env=trap.bench.project.env)
    git(place, "config", "core.bare", "false", env=trap.bench.project.env)
    git(place, "config", "core.worktree", "..", env=trap.bench.project.env)
    git(place, "config", "core.fsmonitor", str(trap.script), env=trap.bench.project.env)


@dataclass(frozen=True)
class Probe:
    plant: Callable[[Trap], None]
    control: tuple[str, ...]
    """What plain git is asked for, so that it runs what was planted."""
    where: str = "."


PROBES = [
    Probe(hooks, COMMIT),
    Probe(hooks_path, COMMIT),
    Probe(included_config, COMMIT),
    Probe(fsmonitor, ("status",)),
    Probe(clean_filter, ("add", "-A")),
    Probe(smudge_filter, ("checkout", "-f", "HEAD", "--", "README.md", "src")),
    Probe(process_filter, ("add", "-A")),
    Probe(filter_by_info_attributes, ("add", "-A")),
    Probe(textconv, ("diff",)),
    Probe(external_diff, ("diff",)),
    Probe(external_diff_by_attribute, ("diff",)),
    Probe(merge_driver, ("stash", "apply")),
    Probe(signing_program, COMMIT),
    Probe(editor, ("commit", "-a")),
    Probe(ssh_command, PUSH),
    Probe(ext_protocol, PUSH),
    Probe(instead_of, PUSH),
    Probe(push_instead_of, PUSH),
    Probe(push_url, PUSH),
    Probe(receive_pack, PUSH),
    Probe(upload_pack, FETCH),
    Probe(config_of_a_worktree, ("status",)),
    Probe(git_is_a_file, ("status",)),
    Probe(git_is_a_link, ("status",)),
    Probe(git_dir_in_a_tracked_directory, ("status",), "src"),
    Probe(bare_repository_in_the_tree, ("status",), "fixtures"),
]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.plant.__name__)
async def test_what_plain_git_executes_is_not_executed_by_ours(bench: Bench, tmp_path: Path, probe: Probe) -> None:
    (tmp_path / "trap").mkdir()
    trap = Trap(bench, tmp_path / "trap")
    if probe.plant is merge_driver:  # for the control: a stash that conflicts with what is there
        (bench.tree / "README.md").write_text("stashed\n")
        bench.agent("stash", "-q")
        (bench.tree / "README.md").write_text("committed\n")
        bench.agent("commit", "-qam", "x")
    edit(bench)
    probe.plant(trap)
    if probe.plant is smudge_filter:
        (bench.tree / "README.md").unlink()
    if probe.plant is merge_driver:
        bench.agent("commit", "-qam", "y")

    git(bench.tree / probe.where, *probe.control, env=trap.bench.project.env, check=False)
    assert trap.sprung(), "the control: plain git in this tree has to execute it"
    trap.reset()
    edit(bench)

    await everything(bench)

    assert not trap.sprung(), trap.canary.read_text()


def edit(bench: Bench) -> None:
    (bench.tree / "README.md").write_text("A better shop.\n")
    (bench.tree / "src" / "shop.py").write_text("def total(prices):\n    return sum(prices)\n")


async def everything(bench: Bench) -> None:
    """All that a worker ever does with a tree and a remote: commit, publish, rebase, publish, park, clean up."""
    project = bench.project
    first = await bench.commit()
    assert isinstance(await bench.clone.publish(first, BRANCH), Pushed)
    project.push_as_teammate(BRANCH, "other.txt", "theirs\n")
    (bench.tree / "more.txt").write_text("more\n")
    second = await bench.commit(base=first)
    rejected = await bench.clone.publish(second, BRANCH)
    assert isinstance(rejected, Rejected) and rejected.head is not None
    rebased = await bench.clone.rebase(bench.fetched, second, rejected.head)
    assert isinstance(rebased, Rebased)
    assert isinstance(await bench.clone.publish(rebased.sha, BRANCH), Pushed)
    (bench.tree / "unfinished.txt").write_text("half\n")
    identity = bench.clone.checkout.identity
    assert await bench.worktree.park(base=rebased.sha, task="SHOP-2", fence=1, identity=identity) is not None
    await bench.clone.prepare(bench.fetched, at=rebased.sha)
    assert project.remote_head() == rebased.sha
    assert project.at_remote("show", f"{BRANCH}:more.txt") == "more"


async def test_the_git_of_a_filled_submodule_is_not_run(project: Project, tmp_path: Path) -> None:
    library = tmp_path / "library"
    git(tmp_path, "init", "-q", library, env=project.env)
    git(library, "commit", "-q", "--allow-empty", "-m", "x", env=project.env)
    project.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "library")
    project.git("commit", "-qm", "with a library")
    project.git("push", "-q", "origin", "main")
    bench = await make_bench(project)
    trap = Trap(bench, tmp_path)
    git(bench.tree, "clone", "-q", library, "library", env=project.env)
    git(bench.tree / "library", "config", "core.fsmonitor", str(trap.script), env=project.env)
    (bench.tree / "README.md").write_text("changed\n")

    bench.agent("status")
    assert trap.sprung(), "the control: plain git in this tree runs git in the submodule"
    trap.reset()
    changes = await bench.worktree.changes(bench.base)
    await bench.clone.prepare(bench.fetched)

    assert changes.paths == ("README.md",)
    assert not trap.sprung()
    assert list((bench.tree / "library").iterdir()) == []
    bench.clone.close()


async def test_a_driver_that_the_user_has_set_up_does_not_run_on_the_agents_word(
    project: Project, tmp_path: Path
) -> None:
    """With a global filter such as LFS an agent only has to write .gitattributes."""
    bench = await make_bench(project)
    trap = Trap(bench, tmp_path)
    git(tmp_path, "config", "--global", "filter.lfs.clean", str(trap.script), env=project.env)
    trap.attributes("* filter=lfs")
    (bench.tree / "README.md").write_text("changed\n")

    bench.agent("add", "-A")
    assert trap.sprung()
    trap.reset()
    changes = await bench.worktree.changes(bench.base)
    await bench.clone.prepare(bench.fetched)

    assert changes.paths == (".gitattributes", "README.md")
    assert not trap.sprung()
    bench.clone.close()
