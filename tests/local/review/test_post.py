"""Getting a review to the forge while the pull request does not stand still."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.local.forge.conftest import PROPOSAL, forge, github
from tests.local.review.test_text import finding, review
from tests.support.github import GitHubServer

from locus.local.forge.base import ForgeError, Reason, propose
from locus.local.forge.github import GitHub
from locus.local.forge.reviews import Reviews
from locus.local.review.answer import Verdict
from locus.local.review.post import Poster
from locus.local.review.text import WORDS_ALONE

__all__ = ["forge", "github"]


async def test_findings_that_the_forge_does_not_show_are_posted_as_words(github: GitHubServer, forge: GitHub) -> None:
    await propose(forge, PROPOSAL)
    hosted = Reviews(forge)
    pull = await hosted.pull(1)
    told = review(finding())  # the pull request changes no file at all
    told.head = pull.head

    await Poster(hosted, "ada").post(told, pull)

    (posted,) = github.reviewing.reviews[1]
    assert posted["state"] == "COMMENTED" and "sums.py:3" in posted["body"] and WORDS_ALONE in posted["body"]
    assert told.event == "COMMENT" and told.url == posted["html_url"]


async def test_a_commit_that_was_pushed_away_meanwhile_is_told_as_that(
    github: GitHubServer, forge: GitHub, tmp_path: Path
) -> None:
    await propose(forge, PROPOSAL)
    hosted = Reviews(forge)
    pull = await hosted.pull(1)
    told = review(finding())
    told.head = pull.head
    bare = github.repositories / "acme" / "shop.git"
    env = {"HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    env |= {f"GIT_{who}_{what}": "b@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", f"--git-dir={bare}", *arguments], env=env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    other = git("commit-tree", "main^{tree}", "-p", "main", "-m", "another")
    git("update-ref", "refs/heads/locus/sprint-1", other)

    with pytest.raises(ForgeError) as failed:
        await Poster(hosted, "ada").post(told, pull)

    assert failed.value.reason is Reason.INVALID and "took the place" in str(failed.value)
    assert "locus review 1" in str(failed.value) and not github.reviewing.reviews


async def test_a_pull_request_that_is_not_there_is_named(github: GitHubServer, forge: GitHub) -> None:
    with pytest.raises(ForgeError, match="There is no pull request 99 in acme/shop"):
        await Reviews(forge).pull(99)


@pytest.mark.parametrize(("author", "state"), [("ada", "COMMENTED"), ("zoe", "APPROVED"), (None, "APPROVED")])
async def test_nobody_judges_work_of_the_own_account_in_a_pull_request_of_others(
    github: GitHubServer, forge: GitHub, author: str | None, state: str
) -> None:
    asked = {"head": PROPOSAL.head, "base": "main", "title": "Sprint 1", "opened_by": "bea"}
    github.create("acme", "shop", asked)
    if author:
        github.reviewing.authors[1] = author
    hosted = Reviews(forge)
    pull = await hosted.pull(1)
    told = review(verdict=Verdict.APPROVE)
    told.head = pull.head

    await Poster(hosted, "ada").post(told, pull)

    assert [one["state"] for one in github.reviewing.reviews[1]] == [state]
