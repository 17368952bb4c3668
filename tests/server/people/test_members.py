"""Members, invitations and what is written down about them."""

import asyncio
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.server.people.conftest import Town
from tests.support.mails import LINK, body
from tests.support.people import SomebodySignedIn, somebody

from locus.server.auth.principals import ROLE_RANK
from locus.server.errors import Conflict, Forbidden, Refused
from locus.server.workspaces import member_rules
from locus.wire.workspaces import MemberRole, Organization

MEMBERS = "/api/v1/organization/members"
INVITATIONS = "/api/v1/organization/invitations"
OWNER, ADMIN, MEMBER, VIEWER = MemberRole


async def member(town: Town, organization: Organization, role: MemberRole, name: str = "Ada") -> SomebodySignedIn:
    return await somebody(town.server, role, name=name, email=town.address(name.lower()), organization=organization)


async def roles(town: Town, organization: Organization) -> dict[UUID, str]:
    rows = await town.server.pool.fetch(
        "SELECT user_id, role FROM memberships WHERE organization_id = $1", organization.id
    )
    return {row["user_id"]: row["role"] for row in rows}


async def invite(browser: httpx.AsyncClient, email: str, role: MemberRole) -> httpx.Response:
    return await browser.post(INVITATIONS, json={"email": email, "role": role.value})


async def link(town: Town, email: str, count: int = 1) -> str:
    found = LINK.search(body(await town.postbox.to(email, count)))
    assert found is not None
    return found[0].removeprefix(town.server.url)


@pytest.mark.parametrize(("actor", "current", "wanted"), list(product(MemberRole, repeat=3)))
def test_nobody_changes_more_than_they_have_or_gives_more(
    actor: MemberRole, current: MemberRole, wanted: MemberRole
) -> None:
    allowed = ROLE_RANK[actor] >= max(ROLE_RANK[ADMIN], ROLE_RANK[current], ROLE_RANK[wanted])

    assert refuses(member_rules.check_role, actor, current, wanted, last_owner=False) == (
        None if allowed else Forbidden
    )
    assert refuses(member_rules.check_removal, actor, current, last_owner=False) == (
        None if ROLE_RANK[actor] >= max(ROLE_RANK[ADMIN], ROLE_RANK[current]) else Forbidden
    )
    assert refuses(member_rules.check_invitation, actor, wanted) == (
        None if ROLE_RANK[actor] >= max(ROLE_RANK[ADMIN], ROLE_RANK[wanted]) else Forbidden
    )


def refuses(rule: Any, *arguments: MemberRole, **named: bool) -> type[Refused] | None:
    try:
        rule(*arguments, **named)
    except Refused as e:
        return type(e)
    return None


def test_the_last_owner_stays_owner() -> None:
    assert refuses(member_rules.check_role, OWNER, OWNER, ADMIN, last_owner=True) is Conflict
    assert refuses(member_rules.check_role, OWNER, OWNER, OWNER, last_owner=True) is None
    assert refuses(member_rules.check_removal, OWNER, OWNER, last_owner=True) is Conflict


async def test_two_owners_who_remove_each_other_at_once_leave_one(town: Town) -> None:
    organization, _ = await town.organization()
    ada, bob = await member(town, organization, OWNER), await member(town, organization, OWNER, "Bob")
    async with ada.client(town.server) as one, bob.client(town.server) as other:
        answers = await asyncio.gather(
            one.delete(f"{MEMBERS}/{bob.id}"), other.delete(f"{MEMBERS}/{ada.id}"), return_exceptions=True
        )

    assert len(await roles(town, organization)) == 1, answers


async def test_a_removed_member_loses_access_at_once_and_keeps_the_account(town: Town) -> None:
    organization, workspace = await town.organization()
    ada, bob = await member(town, organization, OWNER), await member(town, organization, MEMBER, "Bob")
    async with ada.client(town.server) as owner, bob.client(town.server) as browser:
        before = await browser.get(f"/api/v1/workspaces/{workspace.id}/tasks")
        removed = await owner.delete(f"{MEMBERS}/{bob.id}")
        after = await browser.get(f"/api/v1/workspaces/{workspace.id}/tasks")
        sessions = await browser.get("/api/v1/me/sessions")

    assert (before.status_code, removed.status_code, after.status_code) == (200, 204, 403)
    assert sessions.status_code == 200  # still somebody, of no organization


async def test_a_member_leaves_and_the_last_owner_cannot(town: Town) -> None:
    organization, _ = await town.organization()
    ada, bob = await member(town, organization, OWNER), await member(town, organization, VIEWER, "Bob")
    async with ada.client(town.server) as owner, bob.client(town.server) as viewer:
        left = await viewer.delete(f"{MEMBERS}/{bob.id}")
        stays = await owner.delete(f"{MEMBERS}/{ada.id}")

    assert (left.status_code, stays.status_code, stays.json()["code"]) == (204, 409, "last_owner")


async def test_ownership_is_handed_over(town: Town) -> None:
    organization, _ = await town.organization()
    ada, bob = await member(town, organization, OWNER), await member(town, organization, VIEWER, "Bob")
    async with ada.client(town.server) as owner:
        handed = await owner.post(f"{MEMBERS}/{bob.id}/transfer")
        again = await owner.post(f"{MEMBERS}/{bob.id}/transfer")

    assert (handed.status_code, again.status_code) == (204, 403)
    assert await roles(town, organization) == {ada.id: "ADMIN", bob.id: "OWNER"}


async def test_an_organization_is_deleted_by_an_owner_who_repeats_its_name(town: Town) -> None:
    organization, workspace = await town.organization()
    ada, admin = await member(town, organization, OWNER), await member(town, organization, ADMIN, "Cleo")
    address = "/api/v1/organization"
    async with ada.client(town.server) as owner, admin.client(town.server) as other:
        refused = await other.delete(address, params={"confirm": organization.name})
        unconfirmed = await owner.delete(address)
        deleted = await owner.delete(address, params={"confirm": organization.name})
    left = await town.server.pool.fetchval("SELECT count(*) FROM workspaces WHERE id = $1", workspace.id)
    accounts = await town.server.pool.fetchval("SELECT count(*) FROM users WHERE id = $1", ada.id)

    assert (refused.status_code, unconfirmed.status_code, deleted.status_code) == (403, 409, 204)
    assert (left, accounts) == (0, 1)


async def test_an_invitation_makes_a_member_of_whom_it_is_for_once(town: Town) -> None:
    organization, _ = await town.organization()
    ada = await member(town, organization, ADMIN)
    email = town.address("new")
    async with ada.client(town.server) as admin:
        made = await invite(admin, email, MEMBER)
        there = await link(town, email)
    eve = await somebody(town.server, None, name="Eve", email=town.address("eve"))
    nia = await somebody(town.server, None, name="Nia", email=email)
    async with eve.client(town.server) as thief, nia.client(town.server) as browser:
        foreign = await thief.get(there)
        stolen = await thief.post("/welcome/join", data={"invitation": made.json()["id"]})
        looked = await browser.get(there)
        joined = await asyncio.gather(
            *(browser.post("/welcome/join", data={"invitation": made.json()["id"]}) for _ in range(5))
        )
        spent = await browser.get(there)

    assert made.status_code == 201
    assert there not in made.text  # the inviter cannot accept in somebody's place
    assert (foreign.status_code, stolen.status_code) == (403, 404)
    assert email not in foreign.text
    assert organization.name not in foreign.text
    assert organization.name in looked.text
    assert sorted(answer.status_code for answer in joined) == [303, 404, 404, 404, 404]
    assert spent.status_code == 410
    assert (await roles(town, organization))[nia.id] == "MEMBER"
    assert eve.id not in await roles(town, organization)


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE invitations SET expires_at = clock_timestamp() WHERE email = $1",
        "UPDATE memberships SET role = 'MEMBER' WHERE user_id = (SELECT invited_by FROM invitations WHERE email = $1)",
        "DELETE FROM memberships WHERE user_id = (SELECT invited_by FROM invitations WHERE email = $1)",
    ],
)
async def test_an_invitation_ends_with_its_time_and_with_its_inviters_right(town: Town, spoil: str) -> None:
    organization, _ = await town.organization()
    ada, email = await member(town, organization, ADMIN), town.address("new")
    async with ada.client(town.server) as admin:
        made = await invite(admin, email, ADMIN)
    await town.server.pool.execute(spoil, email)
    nia = await somebody(town.server, None, name="Nia", email=email)
    async with nia.client(town.server) as browser:
        answer = await browser.post("/welcome/join", data={"invitation": made.json()["id"]})

    assert answer.status_code == 404
    assert nia.id not in await roles(town, organization)


async def test_an_invitation_that_was_taken_back_or_sent_anew_is_good_no_more(town: Town) -> None:
    organization, _ = await town.organization()
    ada, email = await member(town, organization, OWNER), town.address("new")
    nia = await somebody(town.server, None, name="Nia", email=email)
    async with ada.client(town.server) as owner, nia.client(town.server) as browser:
        await invite(owner, email, VIEWER)
        first = await link(town, email)
        second = (await invite(owner, email, MEMBER)).json()
        replaced = await browser.get(first)
        newer = await browser.get(await link(town, email, 2))
        await owner.delete(f"{INVITATIONS}/{second['id']}")
        taken_back = await browser.get(await link(town, email, 2))

    assert (replaced.status_code, newer.status_code, taken_back.status_code) == (410, 200, 410)


async def test_somebody_who_is_invited_may_sign_in_where_others_may_not(town: Town) -> None:
    organization, _ = await town.organization()
    ada, email = await member(town, organization, OWNER), town.address("new")
    async with ada.client(town.server) as owner:
        await invite(owner, email, MEMBER)
        await town.postbox.to(email)
    async with town.visitor() as browser:
        await browser.post("/sign-in", data={"email": email})
        entered = await browser.post("/sign-in/code", data={"code": await town.postbox.code(email, 2)})
        page = await browser.get("/welcome")

    assert entered.status_code == 303
    assert f"Join {organization.name}" in page.text


async def test_what_is_done_to_people_and_keys_is_written_down_and_stays(town: Town) -> None:
    organization, _ = await town.organization()
    ada, bob = await member(town, organization, OWNER), await member(town, organization, VIEWER, "Bob")
    async with ada.client(town.server) as owner:
        await owner.patch(f"{MEMBERS}/{bob.id}", json={"role": "ADMIN"})
        key = (await owner.post("/api/v1/organization/keys", json={"name": "build"})).json()["key"]["id"]
        await owner.post(f"/api/v1/organization/keys/{key}/rotate")
        await owner.delete(f"/api/v1/organization/keys/{key}")
        await owner.delete(f"{MEMBERS}/{bob.id}")
        said = (await owner.get("/api/v1/organization/audit")).json()["items"]

    assert [one["action"] for one in said] == [
        "member.removed",
        "key.revoked",
        "key.rotated",
        "key.created",
        "member.role",
    ]
    assert {(one["actor_kind"], one["actor_name"], one["address"]) for one in said} == {("person", "Ada", "127.0.0.1")}
    assert said[-1]["detail"] == "VIEWER → ADMIN"
    for change in ("UPDATE audit SET subject = ''", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(Exception, match="never changed"):
            await town.server.pool.execute(change)
