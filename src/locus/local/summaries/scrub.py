"""A summary from an agent's last message. What is not certain to be harmless is left out; often nothing is left."""

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from locus.local.replay.redaction import Redaction
from locus.local.summaries.plain import Sentence, sentences
from locus.local.summaries.tree import Place, without

LONGEST = 500  # characters of a summary
COMPARED = 1_000  # characters of sentences that are compared with the tree, to have some left
_NO_LETTERS = re.compile(r"[\W_]+")
# Accounts and machines that are called like this are nobody's.
NOBODYS = frozenset(
    [
        *("admin", "agent", "build", "builder", "dev", "developer", "docker", "home", "host", "local", "localhost"),
        *("locus", "machine", "node", "root", "runner", "server", "test", "tester", "ubuntu", "user", "username"),
        *("vagrant", "worker", "workspace"),
    ]
)


class Scrubbed(Struct, frozen=True):
    """A summary, and how many sentences of plain words it has and were left out of it."""

    text: str | None
    left_out: int


def scrub(
    message: str,
    place: Place,
    *,
    environment: Mapping[str, str],
    names: Iterable[str] = (),
    key: str = "",
    over: Callable[[], bool] = lambda: False,
) -> Scrubbed:
    """What of a message may be sent: nothing of a place, no secret, no name of a person or machine.

    Args:
        place: the files that the agent may have seen.
        environment: whose values with secrets are no part of a summary.
        names: of the person and the machine; each of their words is left out.
        key: of the task, which may be named.
        over: asked again and again, whether there is no more time to look.

    Raises:
        NotCompared: there was no more time before everything had been looked through.
    """
    redaction = Redaction(environment, {})
    private = {word for name in names for word in _NO_LETTERS.split(name.casefold()) if len(word) > 2} - NOBODYS
    said = list(dict.fromkeys(sentences(message, key=key)))
    pool = [
        one for one in _first(said, COMPARED) if not _private(one, private) and redaction.content(one.text) == one.text
    ]
    kept = _first(without(pool, place, over=over), LONGEST)
    text = " ".join(one.text for one in kept)
    if not text or redaction.content(text) != text:
        return Scrubbed(None, len(said))
    return Scrubbed(text, len(said) - len(kept))


def _private(sentence: Sentence, private: set[str]) -> bool:
    words = {
        part for word in sentence.words for part in (word.casefold(), *word.casefold().replace("’", "'").split("'"))
    }
    return not private.isdisjoint(words)


def _first(said: list[Sentence], most: int) -> list[Sentence]:
    """As many whole sentences from the beginning as fit."""
    taken, characters = [], -1
    for one in said:
        characters += len(one.text) + 1
        if characters > most:
            break
        taken.append(one)
    return taken
