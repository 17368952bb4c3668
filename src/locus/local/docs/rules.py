"""What becomes of a doc that three know: the base, the file here, and the control plane. Pure."""

from enum import StrEnum

from msgspec import Struct

from locus.local.docs.form import FIELDS, Content


class Act(StrEnum):
    """What a sync does with one doc, or says of it."""

    SAME = "same"  # nothing
    ADOPTED = "adopted"  # both sides have the same, and it was not known yet
    PULLED = "pulled"  # the file is made, or becomes what is there
    RESTORED = "restored"  # the file was deleted here, and comes back
    REMOVED = "removed"  # it was deleted there, and the file goes
    FORGOTTEN = "forgotten"  # it was deleted on both sides
    SENT = "sent"  # it was changed here, and there it becomes the same
    DELETED = "deleted"  # the file was deleted here, and there it goes
    UNSENT = "unsent"  # it was changed here, and nobody has said that it may leave
    MERGED = "merged"  # different parts were changed on both sides; the file gets theirs
    CONFLICT = "conflict"  # both sides changed the same part; both are kept
    GONE = "gone"  # it was changed here and deleted there; the file is kept
    NEW = "new"  # a file that is no doc: it stays, and stays here
    FAULT = "fault"  # a file that cannot be read as a doc: nothing is done about it


TROUBLE = frozenset({Act.CONFLICT, Act.GONE, Act.FAULT})
LEAVES = frozenset({Act.SENT, Act.DELETED})


class Decision(Struct, frozen=True):
    """An act, with what the file shall be and whether that has to be sent too."""

    act: Act
    content: Content | None = None
    send: bool = False


def decide(
    base: Content | None, here: Content | None, there: Content | None, *, pushed: bool, delete: bool
) -> Decision:
    """What to do. None means: there is none.

    Args:
        pushed: somebody here has said that this doc may leave.
        delete: what was deleted here shall be deleted there too.
    """
    if here is None and there is None:
        return Decision(Act.FORGOTTEN)
    if base is None:
        return _unknown(here, there)
    if here is None:
        assert there is not None
        if there == base and delete:
            return Decision(Act.DELETED, send=True)
        return Decision(Act.RESTORED, there)
    if there is None:
        return Decision(Act.REMOVED if here == base else Act.GONE, here)
    if here == there:
        return Decision(Act.SAME if there == base else Act.ADOPTED, there)
    if here == base:
        return Decision(Act.PULLED, there)
    if there == base:
        return Decision(Act.SENT if pushed else Act.UNSENT, here, send=pushed)
    merged = merge(base, here, there)
    if merged is None:
        return Decision(Act.CONFLICT, there)
    return Decision(Act.MERGED, merged, send=pushed and merged != there)


def _unknown(here: Content | None, there: Content | None) -> Decision:
    if here is None:
        return Decision(Act.PULLED, there)
    if there is None:
        return Decision(Act.NEW, here)
    return Decision(Act.ADOPTED, there) if here == there else Decision(Act.CONFLICT, there)


def merge(base: Content, here: Content, there: Content) -> Content | None:
    """Both changes, when no part was changed by both; None when one was."""
    parts = {}
    for name in FIELDS:
        was, ours, theirs = (getattr(one, name) for one in (base, here, there))
        if was not in (ours, theirs) and ours != theirs:
            return None
        parts[name] = theirs if ours == was else ours
    return Content(**parts)
