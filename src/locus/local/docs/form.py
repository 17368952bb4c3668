"""A doc as a file: what it is called and where it belongs between two lines of `+++`, as TOML, and then its text."""

import re
import tomllib
from typing import TypeVar

import msgspec
import tomlkit
from msgspec import Struct

from locus.local.errors import LocalError
from locus.wire.docs import Doc, DocDraft, DocEdit, DocKind

FENCE = "+++"
FIELDS = ("title", "kind", "group", "text")
_TROUBLE = re.compile(r"(?P<what>.*) - at `\$\.(?P<name>\w+)`", re.DOTALL)

T = TypeVar("T")


class NotADoc(LocalError):
    """A file cannot be read as a doc."""


class Content(Struct, frozen=True):
    """Everything that people write of a doc."""

    title: str
    kind: DocKind
    group: str
    text: str


def content_of(doc: Doc) -> Content:
    return Content(doc.title, doc.kind, doc.group, doc.text)


def written(content: Content) -> str:
    """The file of a doc. `read` makes the same content of it again, whatever the text is."""
    head = tomlkit.document()
    head.update({"title": content.title, "kind": content.kind.value, "group": content.group})
    return f"{FENCE}\n{tomlkit.dumps(head)}{FENCE}\n\n{content.text}"


def read(file: str) -> Content:
    """What a file says. Raises NotADoc, with what is wrong in the head of it."""
    head, text = split(file)
    if head is None:
        raise NotADoc(
            "It does not begin with the head of a doc.",
            remedy=f"Put its title, kind and group between two lines of {FENCE}, as in the other files.",
        )
    given: dict[str, object] = {"kind": DocKind.GENERAL.value, "group": "", **head, "text": text}
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise NotADoc(f"A doc has no {unknown[0]}.", remedy="Its head has title, kind and group.")
    draft = _checked(given, DocDraft)
    return Content(draft.title, draft.kind, draft.group, draft.text)


def split(file: str) -> tuple[dict[str, object] | None, str]:
    """The head of a file, None when it has none, and the text after it. Raises NotADoc."""
    file = file.removeprefix("\ufeff")
    if file.startswith(f"{FENCE}\r\n"):
        file = file.replace("\r\n", "\n")  # what was brought here had none: an editor put them in
    if not file.startswith(f"{FENCE}\n"):
        return None, file
    head, fence, text = file[len(FENCE) + 1 :].partition(f"\n{FENCE}\n")
    if not fence:
        raise NotADoc(f"The head of it has no end: a second line of {FENCE} is missing.")
    try:
        return tomllib.loads(head), text.removeprefix("\n")
    except tomllib.TOMLDecodeError as e:
        raise NotADoc(f"The head of it cannot be read: {e}.", remedy="It is TOML.") from e


def draft_of(content: Content) -> DocDraft:
    """A new doc as it is sent. Raises NotADoc for what the control plane would not take."""
    return _checked(_fields(content, FIELDS), DocDraft)


def edit_of(content: Content, *, since: Content) -> DocEdit:
    """What has to be sent for a doc that was `since` to be `content`: the fields that differ. Raises NotADoc."""
    return _checked(
        _fields(content, [name for name in FIELDS if getattr(content, name) != getattr(since, name)]), DocEdit
    )


def _fields(content: Content, names: "list[str] | tuple[str, ...]") -> dict[str, object]:
    return {name: str(getattr(content, name)) for name in names}


def _checked(fields: dict[str, object], kind: type[T]) -> T:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as e:
        raise NotADoc(f"The control plane would not take it: {_said(str(e))}.") from e


def _said(trouble: str) -> str:
    """What is wrong with a field, for a person."""
    match = _TROUBLE.fullmatch(trouble)
    if match is None:
        return trouble
    what, name = match["what"], match["name"]
    if limit := re.search(r"length <= (\d+)", what):
        return f"its {name} has more than {int(limit[1]):,} characters"
    if "length >=" in what:
        return f"its {name} is empty"
    if "regex" in what:
        return f"its {name} has a character that cannot be shown" + ("" if name == "text" else ", or is no single line")
    return f"its {name} is wrong: {what}"
