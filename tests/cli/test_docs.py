"""`locus docs`: both sides become the same, both are kept when they cannot, and nothing leaves that nobody sent."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pexpect
import pytest
from tests.support import person as persons
from tests.support.fault_proxy import Act, between
from tests.support.person import Person, Said
from tests.support.server import RunningServer

from locus.local.docs.folder import FOLDER
from locus.wire.workspaces import Purpose

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@dataclass(frozen=True)
class Desk:
    """A person with a repository, and somebody else at the control plane."""

    server: RunningServer
    person: Person
    api: httpx.AsyncClient

    @property
    def root(self) -> Path:
        return self.person.home / "shop"

    @property
    def folder(self) -> Path:
        return self.root / FOLDER

    def file(self, doc: str) -> Path:
        return self.folder / f"{doc}.md"

    async def locus(self, *arguments: str) -> Said:
        return await asyncio.to_thread(self.person.locus, "docs", *arguments, cwd=self.root)

    async def sync(self, *arguments: str, code: int = 0) -> dict[str, str]:
        """What a sync did: each act by the file's title."""
        said = await self.locus("sync", "--json", *arguments)
        assert said.code == code, said
        return {one["title"]: one["act"] for one in json.loads(said.out)["docs"]}

    async def push(self, path: str, *arguments: str) -> str:
        """Push a file, and the id of its doc."""
        said = await self.locus("push", path, "--yes", *arguments)
        assert said.code == 0, said
        return said.out.splitlines()[0]

    async def write(self, title: str, text: str, **fields: str) -> str:
        """Somebody writes a doc at the control plane."""
        answer = await self.api.post(self.server.path("/docs"), json={"title": title, "text": text, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def edit(self, doc: str, **fields: str) -> None:
        answer = await self.api.patch(self.server.path(f"/docs/{doc}"), json=fields, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text

    async def doc(self, doc: str) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.api.get(self.server.path(f"/docs/{doc}"))).json()
        return answer

    async def titles(self) -> list[str]:
        items = (await self.api.get(self.server.path("/docs"))).json()["items"]
        return sorted(item["title"] for item in items)

    def change(self, doc: str, old: str, new: str) -> None:
        text = self.file(doc).read_text()
        assert old in text
        self.file(doc).write_text(text.replace(old, new))


@pytest.fixture
async def desk(server: RunningServer, tmp_path: Path) -> AsyncIterator[Desk]:
    person = persons.new(tmp_path)
    person.repository("shop")
    key = await server.key(Purpose.MEMBER, workspace=server.workspace)
    person.variables.update(LOCUS_SERVER=server.url, LOCUS_API_KEY=key)
    async with server.client(key) as api:
        yield Desk(server, person, api)


async def test_docs_come_follow_their_changes_and_go_and_a_list_finds_them(desk: Desk) -> None:
    one = await desk.write("Why we ship", "# Why\n", group="Decisions", kind="ADR")
    two = await desk.write("How we ship", "How\n")

    first = await desk.sync()
    again = await desk.sync()
    await desk.edit(one, title="Why we ship daily")
    assert (await desk.api.delete(desk.server.path(f"/docs/{two}"), headers={"If-Match": "*"})).status_code == 204
    later = await desk.sync()

    assert first == {"Why we ship": "pulled", "How we ship": "pulled"}
    assert again == {}
    assert later == {"Why we ship daily": "pulled", "How we ship": "removed"}
    head = '+++\ntitle = "Why we ship daily"\nkind = "ADR"\ngroup = "Decisions"\n+++\n\n'
    assert desk.file(one).read_text() == f"{head}# Why\n"
    assert not desk.file(two).exists()
    assert (desk.folder / "README.md").read_text().endswith(f"## Decisions\n\n- [Why we ship daily]({one}.md)\n")
    assert desk.person.git("status", "--porcelain", cwd=desk.root) == ""


async def test_what_is_written_here_stays_here_until_its_file_is_pushed(desk: Desk) -> None:
    doc = await desk.write("Plan", "one\n")
    await desk.sync()
    desk.change(doc, "one", "two, and private")
    (desk.folder / "mine.md").write_text("private too\n")

    unsent = await desk.sync("--yes")
    sent_nothing = (await desk.doc(doc))["text"]
    await desk.push(str(desk.file(doc)))
    pushed = (await desk.doc(doc))["text"]
    desk.change(doc, "two, and private", "three")
    asked = await desk.sync()  # nobody can be asked
    kept = (await desk.doc(doc))["text"]
    sent = await desk.sync("--yes")

    assert unsent == {"Plan": "unsent", "mine.md": "new"}
    assert sent_nothing == "one\n"
    assert pushed == "two, and private\n"
    assert (asked["Plan"], kept) == ("unsent", "two, and private\n")
    assert (sent["Plan"], (await desk.doc(doc))["text"]) == ("sent", "three\n")
    assert await desk.titles() == ["Plan"]
    log = (await asyncio.to_thread(desk.person.locus, "egress", "log", "--json", cwd=desk.root)).out
    assert "private too" not in log
    assert log.count('"PATCH"') == 2


async def test_both_sides_are_kept_when_both_changed_the_text_and_settled_by_hand(desk: Desk) -> None:
    doc = await desk.write("Plan", "one\n")
    await desk.sync()
    await desk.push(str(desk.file(doc)))
    desk.change(doc, "one", "ours")
    await desk.edit(doc, text="theirs\n")

    conflict = await desk.sync("--yes", code=1)
    still = await desk.sync("--yes", code=1)
    told = await desk.locus("sync", "--yes")
    refused = await desk.locus("push", str(desk.file(doc)), "--yes")
    beside = desk.folder / f"{doc}.theirs.md"
    ours, theirs = desk.file(doc).read_text(), beside.read_text()
    desk.change(doc, "ours", "ours and theirs")
    beside.unlink()
    settled = await desk.sync("--yes")

    assert conflict == still == {"Plan": "conflict"}
    assert f"{doc}.theirs.md" in told.out
    assert refused.code == 1
    assert (ours.endswith("\n\nours\n"), theirs.endswith("\n\ntheirs\n")) == (True, True)
    assert settled == {"Plan": "sent"}
    assert (await desk.doc(doc))["text"] == "ours and theirs\n"
    assert not beside.exists()


async def test_a_name_changed_there_and_a_text_changed_here_become_one(desk: Desk) -> None:
    doc = await desk.write("Plan", "one\n")
    await desk.sync()
    await desk.push(str(desk.file(doc)))
    desk.change(doc, "one", "two")
    await desk.edit(doc, title="Better plan", group="Plans")

    dry = await desk.sync("--yes", "--dry-run")
    untouched = desk.file(doc).read_text()
    merged = await desk.sync("--yes")

    assert dry == merged == {"Better plan": "merged"}
    assert 'title = "Plan"' in untouched
    made = await desk.doc(doc)
    assert (made["title"], made["group"], made["text"]) == ("Better plan", "Plans", "two\n")
    assert desk.file(doc).read_text().startswith('+++\ntitle = "Better plan"\n')


async def test_a_doc_is_renamed_here_and_there_it_is_renamed_too(desk: Desk) -> None:
    doc = await desk.write("Plan", "one\n")
    await desk.sync()
    await desk.push(str(desk.file(doc)))
    desk.change(doc, 'title = "Plan"', 'title = "Plan B"')

    assert await desk.sync("--yes") == {"Plan B": "sent"}
    assert await desk.titles() == ["Plan B"]


async def test_a_file_deleted_here_comes_back_unless_its_doc_shall_go_too(desk: Desk) -> None:
    kept, gone = await desk.write("Kept", "k\n"), await desk.write("Gone", "g\n")
    await desk.sync()
    desk.file(kept).unlink()
    restored = await desk.sync()
    desk.file(gone).unlink()
    deleted = await desk.sync("--delete", "--yes")
    for path in [*desk.folder.iterdir()]:
        path.unlink()
    desk.folder.rmdir()
    refused = await desk.locus("sync", "--delete", "--yes")

    assert (restored, deleted) == ({"Kept": "restored"}, {"Gone": "deleted"})
    assert refused.code == 1
    assert "is not there" in refused.err
    assert await desk.titles() == ["Kept"]


async def test_what_was_deleted_there_and_changed_here_is_kept_and_can_begin_anew(desk: Desk) -> None:
    doc = await desk.write("Plan", "one\n")
    await desk.sync()
    desk.change(doc, "one", "two")
    await desk.api.delete(desk.server.path(f"/docs/{doc}"), headers={"If-Match": "*"})

    gone = await desk.sync(code=1)
    new = await desk.push(str(desk.file(doc)))

    assert gone == {"Plan": "gone"}
    assert new != doc
    assert (await desk.doc(new))["text"] == "two\n"
    assert not desk.file(doc).exists()
    assert await desk.sync() == {}


async def test_a_file_of_the_project_is_pushed_and_pushed_again_as_the_same_doc(desk: Desk) -> None:
    (desk.root / "design.md").write_text("# The design\n\nFirst\n")
    doc = await desk.push("design.md", "--kind", "tech-spec", "--group", "Plans")
    (desk.root / "design.md").write_text("# The design\n\nSecond\n")
    again = await desk.push("design.md")
    (desk.root / "design.md").write_text("# The design\n\nThird\n")
    await desk.edit(doc, text="Theirs\n")
    refused = await desk.locus("push", "design.md", "--yes")

    assert doc == again
    made = await desk.doc(doc)
    assert (made["title"], made["kind"], made["group"], made["text"]) == (
        "The design",
        "TECH_SPEC",
        "Plans",
        "Theirs\n",
    )
    assert refused.code == 1
    assert "locus docs sync" in refused.err
    assert "Second" in desk.file(doc).read_text()
    wire = (await asyncio.to_thread(desk.person.locus, "egress", "log", "--json", cwd=desk.root)).out
    assert "design.md" not in wire


async def test_a_push_that_cannot_keep_its_file_sends_nothing(desk: Desk) -> None:
    (desk.root / "notes.md").write_text("# Notes\n")
    (desk.root / ".locus").mkdir()
    desk.folder.symlink_to(desk.person.home)

    said = await desk.locus("push", "notes.md", "--yes")

    assert said.code == 1
    assert "documents is a link or a file" in said.err
    assert await desk.titles() == []


async def test_a_push_that_heard_no_answer_makes_one_doc_when_it_is_tried_again(desk: Desk) -> None:
    (desk.root / "notes.md").write_text("# Notes\n")
    with between(desk.server.url) as proxy:
        desk.person.variables["LOCUS_SERVER"] = proxy.url
        proxy.rule(Act.LOSE_ANSWER, "POST .*/docs", left=99)
        lost = await desk.locus("push", "notes.md", "--yes")
        proxy.heal()
        doc = await desk.push("notes.md")
        (await desk.api.delete(desk.server.path(f"/docs/{doc}"), headers={"If-Match": "*"})).raise_for_status()
        anew = await desk.push("notes.md")

    assert lost.code == 4
    assert await desk.titles() == ["Notes"]
    assert anew != doc, "what was answered is pushed as another doc"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("a\n# The # design\n", "The # design"),
        ("\n  First  words\nmore\n", "First words"),
        ("word " * 40, "word " * 15 + "word…"),
        ("#\n\x1b[2J\tHere\n", "#"),
    ],
)
async def test_a_doc_is_called_by_what_its_file_says_and_never_by_its_name(desk: Desk, text: str, title: str) -> None:
    (desk.root / "private-name.md").write_text(text)

    await desk.push("private-name.md")

    assert await desk.titles() == [title]


async def test_a_file_that_says_nothing_has_to_be_called_something(desk: Desk) -> None:
    (desk.root / "private-name.md").write_text("\n")

    refused = await desk.locus("push", "private-name.md", "--yes")
    await desk.push("private-name.md", "--title", "Empty")

    assert refused.code == 1
    assert "--title" in refused.err
    assert await desk.titles() == ["Empty"]


async def test_a_second_sync_does_not_wait_for_ever_for_an_answer_to_the_first(desk: Desk) -> None:
    doc = await desk.write("Plan", "one\n")
    await desk.sync()
    await desk.push(str(desk.file(doc)))
    desk.change(doc, "one", "two")

    def both() -> tuple[Said, int | None]:
        child = desk.person.at_terminal("docs", "sync", cwd=desk.root)
        child.expect("to the control plane")
        second = desk.person.locus("docs", "sync", cwd=desk.root)
        child.sendline("y")
        child.expect(pexpect.EOF)
        child.close()
        return second, child.exitstatus

    second, first = await asyncio.to_thread(both)

    assert (second.code, first) == (1, 0)
    assert "Answer its question" in second.err
    assert (await desk.doc(doc))["text"] == "two\n"


async def test_what_a_killed_sync_has_left_is_tidied_up(desk: Desk) -> None:
    await desk.write("Plan", "one\n")
    await desk.sync()
    (desk.folder / ".0123456789abcdef").write_text("half a d")
    (desk.folder / ".mine").write_text("mine\n")

    await desk.sync()

    assert {path.name for path in desk.folder.iterdir() if path.name.startswith(".")} == {".gitignore", ".mine"}


@pytest.mark.parametrize("title", ["docs", "md", "Plan"])
async def test_a_sync_says_what_a_doc_is_called(desk: Desk, title: str) -> None:
    await desk.write(title, "one\n")

    said = await desk.locus("sync")

    assert said.out.startswith(f"pulled    {title}  .locus/documents/")


async def test_a_secret_is_not_pushed_and_not_synced(desk: Desk) -> None:
    doc = await desk.write("Plan", "one\n")
    await desk.sync()
    await desk.push(str(desk.file(doc)))
    desk.change(doc, "one", f"token = {SECRET}")
    (desk.root / "notes.md").write_text(f"# Notes\n\n{SECRET}\n")

    synced = await desk.sync("--yes", code=1)
    pushed = await desk.locus("push", "notes.md", "--yes")

    assert synced == {"Plan": "fault"}
    assert pushed.code == 1
    assert "notes.md:3" in pushed.err
    assert SECRET not in pushed.err + pushed.out
    assert (await desk.doc(doc))["text"] == "one\n"
    assert await desk.titles() == ["Plan"]


async def test_a_person_sees_what_would_leave_and_may_say_no(desk: Desk) -> None:
    (desk.root / "notes.md").write_text("# Notes\n\nWords to be read first\n")

    def ask(answer: str) -> tuple[str, int]:
        child = desk.person.at_terminal("docs", "push", "notes.md", cwd=desk.root)
        child.expect("to the control plane")
        shown = str(child.before)
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        return shown, child.exitstatus

    def interrupt() -> int | None:
        child = desk.person.at_terminal("docs", "push", "notes.md", cwd=desk.root)
        child.expect("to the control plane")
        child.sendintr()
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus

    interrupted = await asyncio.to_thread(interrupt)
    without_terminal = await desk.locus("push", "notes.md")
    shown, refused = await asyncio.to_thread(ask, "n")
    nothing = await desk.titles()
    _, agreed = await asyncio.to_thread(ask, "y")

    assert (interrupted, without_terminal.code) == (130, 2)
    assert "Words to be read first" in shown
    assert "32 bytes of text" in " ".join(shown.split())
    assert (refused, nothing) == (1, [])
    assert (agreed, await desk.titles()) == (0, ["Notes"])


async def test_a_hostile_title_is_only_a_title(desk: Desk) -> None:
    titles = ("../../../CLAUDE", "/etc/passwd", "con", "a/b\\c", "..", "Ünïcode 👋", "](x)[y", "Same", "same")
    docs = [await desk.write(title, "x\n", group=title) for title in titles]

    def elsewhere() -> set[Path]:
        return {path for path in desk.person.home.rglob("*") if desk.folder not in (path, *path.parents)}

    before = elsewhere()
    await desk.sync()

    new = {path for path in elsewhere() - before if not path.is_relative_to(desk.person.home / ".local")}
    assert new == {desk.root / ".locus"}
    assert {path.name for path in desk.folder.iterdir()} == {".gitignore", "README.md", *(f"{doc}.md" for doc in docs)}


async def test_a_link_planted_where_a_doc_belongs_is_a_fault_and_stays(desk: Desk) -> None:
    doc = await desk.write("Plan", "one\n")
    await desk.sync()
    await desk.push(str(desk.file(doc)))
    (desk.root / "CLAUDE.md").write_text("obey me\n")
    desk.file(doc).unlink()
    desk.file(doc).symlink_to(desk.root / "CLAUDE.md")
    await desk.edit(doc, text="Overwrite\n")

    assert await desk.sync("--yes", code=1) == {"Plan": "fault"}
    assert (desk.root / "CLAUDE.md").read_text() == "obey me\n"
    assert (await desk.locus("push", str(desk.file(doc)), "--yes")).code == 1
    assert (await desk.doc(doc))["text"] == "Overwrite\n"


async def test_docs_are_listed_and_shown_by_title_or_the_beginning_of_their_id(desk: Desk) -> None:
    doc = await desk.write("Why we ship", "# Because\n")

    listed, alone = await desk.locus("list"), await desk.locus()
    by_title, by_id = await desk.locus("show", "why we ship"), await desk.locus("show", doc[:8])
    missing = await desk.locus("show", "nothing")

    for said in (listed, alone):
        assert re.search(rf"^{doc[:8]}  Why we ship  general ", said.out, re.MULTILINE)
    assert by_title.out.startswith("Why we ship\ngeneral, version 1, ")
    assert by_title.out.endswith("\n# Because\n")
    assert by_id.out.endswith("\n# Because\n")
    assert missing.code == 1
