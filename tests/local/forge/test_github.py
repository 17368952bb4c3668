"""Pull requests on a GitHub whose answers are those of GitHub's own description."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from msgspec import structs
from tests.local.forge.conftest import PROPOSAL
from tests.support.github import GitHubServer, Reply, flaws

from locus.local.forge.base import ForgeError, Reason, State, propose
from locus.local.forge.github import ANSWER_LIMIT, BODY_LIMIT, GitHub


async def test_a_branch_without_a_pull_request_has_none(forge: GitHub) -> None:
    assert await forge.find("locus/sprint-1") is None


async def test_a_pull_request_is_created_once_and_edited_afterwards(github: GitHubServer, forge: GitHub) -> None:
    first = await propose(forge, PROPOSAL)
    second = await propose(forge, structs.replace(PROPOSAL, title="Sprint 1: done", body="Three tasks."))

    assert (first.number, first.state) == (1, State.OPEN)
    assert second.number == 1 and second.url == first.url
    assert [(pull["title"], pull["body"]) for pull in github.pulls] == [("Sprint 1: done", "Three tasks.")]


async def test_a_pull_request_is_no_draft(github: GitHubServer, forge: GitHub) -> None:
    await propose(forge, PROPOSAL)

    assert github.pulls[0]["draft"] is False


async def test_a_lost_answer_does_not_make_a_second_pull_request(github: GitHubServer, forge: GitHub) -> None:
    asked = {"title": "x", "body": "y", "head": PROPOSAL.head, "base": "main"}
    github.fail_next("POST", Reply(lost=lambda: github.create("acme", "shop", asked)))

    with pytest.raises(ForgeError) as failure:
        await propose(forge, PROPOSAL)
    again = await propose(forge, PROPOSAL)

    assert failure.value.passes
    assert again.number == 1
    assert [pull["body"] for pull in github.pulls] == ["Two tasks."]


async def test_a_race_that_somebody_else_won_ends_with_the_others_pull_request(
    github: GitHubServer, forge: GitHub
) -> None:
    github.create("acme", "shop", {"title": "theirs", "head": PROPOSAL.head, "base": "main"})
    github.fail_next("GET", Reply(200, b"[]"))  # it was not there when we looked

    pull = await propose(forge, PROPOSAL)

    assert pull.number == 1 and len(github.pulls) == 1
    assert [request.method for request in github.requests] == ["GET", "POST", "GET", "PATCH"]


async def test_a_branch_that_is_not_on_the_remote_is_refused_by_name(forge: GitHub) -> None:
    with pytest.raises(ForgeError, match="head") as failure:
        await forge.create(structs.replace(PROPOSAL, head="locus/sprint-9"))

    assert failure.value.reason is Reason.INVALID and not failure.value.passes


async def test_a_branch_without_commits_of_its_own_is_refused_in_githubs_words(forge: GitHub) -> None:
    with pytest.raises(ForgeError, match="No commits between") as failure:
        await forge.create(structs.replace(PROPOSAL, head="main"))

    assert failure.value.reason is Reason.INVALID


async def test_a_long_body_is_cut_to_what_github_takes(github: GitHubServer, forge: GitHub) -> None:
    await propose(forge, structs.replace(PROPOSAL, body="x" * (BODY_LIMIT + 1)))

    assert len(github.pulls[0]["body"]) == BODY_LIMIT
    assert "cut here" in github.pulls[0]["body"]


@pytest.mark.parametrize(
    ("reply", "reason", "passes"),
    [
        (Reply(401, b'{"message": "Bad credentials"}'), Reason.AUTH, False),
        (Reply(403, b'{"message": "Resource not accessible"}'), Reason.FORBIDDEN, False),
        (Reply(404, b'{"message": "Not Found"}'), Reason.NOT_FOUND, False),
        (Reply(422, b'{"message": "Validation Failed"}'), Reason.INVALID, False),
        (Reply(429, b"{}", {"retry-after": "7"}), Reason.RATE_LIMITED, True),
        (Reply(403, b'{"message": "secondary rate limit"}', {"retry-after": "7"}), Reason.RATE_LIMITED, True),
        (Reply(500, b""), Reason.UNREACHABLE, True),
        (Reply(503, b"<html>busy</html>", {"retry-after": "7"}), Reason.UNREACHABLE, True),
        (Reply(200, b"<html>sign in to the proxy</html>"), Reason.OTHER, False),
        (Reply(200, b'[{"number": "one"}]'), Reason.OTHER, False),
        (Reply(200, b'[{"number": 1, "html_url": "javascript:alert(1)", "state": "open"}]'), Reason.OTHER, False),
        (Reply(200, b"[" + b" " * (ANSWER_LIMIT + 1) + b"]"), Reason.OTHER, False),
        (Reply(400, b"\xff\xfe"), Reason.OTHER, False),
    ],
    ids=lambda value: f"{value.status}" if isinstance(value, Reply) else str(value),
)
async def test_an_answer_that_is_no_success_has_a_reason(
    github: GitHubServer, forge: GitHub, reply: Reply, reason: Reason, passes: bool
) -> None:
    github.fail_next("GET", reply)

    with pytest.raises(ForgeError) as failure:
        await forge.find("locus/sprint-1")

    assert failure.value.reason is reason
    assert failure.value.passes is passes
    if "retry-after" in reply.headers:
        assert failure.value.retry_after == 7.0


async def test_an_exhausted_quota_says_when_it_is_filled_again(github: GitHubServer, forge: GitHub) -> None:
    reset = str(int(time.time()) + 90)
    exhausted = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    github.fail_next("GET", Reply(403, b'{"message": "API rate limit exceeded"}', exhausted))

    with pytest.raises(ForgeError) as failure:
        await forge.find("locus/sprint-1")

    assert failure.value.reason is Reason.RATE_LIMITED
    assert failure.value.retry_after is not None and 80 < failure.value.retry_after <= 90


async def test_a_github_that_says_nothing_is_given_up(github: GitHubServer, forge: GitHub) -> None:
    github.fail_next("GET", Reply(hang=True))

    with pytest.raises(ForgeError, match="did not answer") as failure:
        await replace(forge, timeout=0.3).find("locus/sprint-1")

    assert failure.value.reason is Reason.UNREACHABLE


async def test_a_github_that_is_gone_is_unreachable() -> None:
    with pytest.raises(ForgeError) as failure:
        await GitHub("http://127.0.0.1:9", "acme", "shop", token="secret-token").find("x")

    assert failure.value.reason is Reason.UNREACHABLE
    assert "secret-token" not in str(failure.value)


async def test_a_renamed_repository_is_followed_on_the_same_host(github: GitHubServer, forge: GitHub) -> None:
    moved = f"{github.api()}/repos/acme/shop/pulls"
    github.fail_next("POST", Reply(307, b"", {"location": moved}))

    pull = await forge.create(PROPOSAL)

    assert pull.number == 1
    assert github.pulls[0]["title"] == "Sprint 1"


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.2:{port}/", "https://127.0.0.1:{port}/", "//example.invalid/x"])
async def test_the_token_does_not_go_to_another_host(github: GitHubServer, forge: GitHub, elsewhere: str) -> None:
    port = github.server.server_address[1]
    github.fail_next("GET", Reply(302, b"", {"location": elsewhere.format(port=port)}))

    with pytest.raises(ForgeError, match="another host"):
        await forge.find("locus/sprint-1")

    assert len(github.requests) == 1


async def test_redirects_in_a_circle_come_to_an_end(github: GitHubServer, forge: GitHub) -> None:
    for _ in range(10):
        github.fail_next("GET", Reply(302, b"", {"location": f"{github.api()}/repos/acme/shop/pulls"}))

    with pytest.raises(ForgeError, match="one place to the next"):
        await forge.find("locus/sprint-1")


@pytest.mark.parametrize("may", [True, False])
async def test_the_right_to_push_is_known_before_a_run(github: GitHubServer, forge: GitHub, may: bool) -> None:
    github.may_push = may

    rights = await forge.rights()

    assert rights.push is may
    assert (rights.remedy is None) is may


async def test_without_a_token_nothing_is_sent(github: GitHubServer, forge: GitHub) -> None:
    with pytest.raises(ForgeError, match="no token") as failure:
        await replace(forge, token=None).find("locus/sprint-1")

    assert failure.value.reason is Reason.AUTH
    assert github.requests == []


async def test_a_bad_token_is_told_with_a_remedy_and_not_shown(forge: GitHub) -> None:
    with pytest.raises(ForgeError, match="gh auth login") as failure:
        await replace(forge, token="ghp_wrong0wrong0wrong").find("locus/sprint-1")

    assert failure.value.reason is Reason.AUTH
    assert "wrong0" not in str(failure.value) and "wrong0" not in repr(forge)


def test_the_description_catches_an_answer_that_github_would_not_give() -> None:
    assert flaws("/repos/{owner}/{repo}/pulls", "post", 201, {"number": "one"})
