"""Which headlines tell of the same story, as far as their words show it.

All tests are on the words that carry meaning. The *same headline* has exactly the same words: it is
a duplicate. *Related* headlines share several words that few others have, and may stand under the
lead. *Similar* headlines are a wider circle, which makes room for other stories.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import chain

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

# Words too common to say what a story is about, in the languages that we ship.
_STOP_WORDS = frozenset(
    """
    a about after again all also an and are as at be been before but by can could did do does for
    from had has have he her his how i if in into is it its just may more most new no not of off on
    one or our out over say says she should so than that the their them then there they this to too
    two up us was we were what when where which who why will with would you your
    aber als am an auch auf aus bei das dem den der des die ein eine einem einen einer er es für
    hat im in ist mit nach nicht noch oder sich sie sind um und von vor war wie wird zu zum zur
    au aux avec ce ces cette d dans de des du elle en est et il l la le les leur mais ne ou par pas
    plus pour qu que qui s sa se ses son sur un une
    """.split()  # noqa: SIM905  a list of a hundred strings would be harder to read
)

#: A word tells something when at most this part of all headlines (or a handful) has it.
_TELLING_PART = 0.1
_TELLING_COUNT = 5
_PAIR = 2


def words_of(headline: str) -> frozenset[str]:
    """The words of a headline that carry meaning, without case, accents and plural s."""
    plain = unicodedata.normalize("NFKD", headline.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("’", "'")
    words = (word.removesuffix("'s") for word in _WORD.findall(plain))
    return frozenset(_singular(word) for word in words if word not in _STOP_WORDS)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def same_headline_key(headline: str) -> frozenset[str]:
    """What two headlines have in common exactly when they are the same.

    A headline of nothing but common words or signs is only the same as its own text.
    """
    return words_of(headline) or frozenset({headline.casefold()})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineOverlap:
    """How much two headlines share: so many telling words, and that part of the shorter one."""

    words: int
    part: float


#: Close enough to stand under one another.
RELATED = HeadlineOverlap(words=2, part=0.4)
#: Close enough that a reader would say "that again"; two steps of it span most reports of one
#: event (docs/decisions/0005 has the figures).
SIMILAR = HeadlineOverlap(words=1, part=0.15)


class Relations:
    """Which of some headlines are related. Built once; each question looks at few of them."""

    def __init__(self, headlines: Mapping[int, str]) -> None:
        self._words = {id_: words_of(headline) for id_, headline in headlines.items()}
        having: defaultdict[str, list[int]] = defaultdict(list)
        for id_, words in self._words.items():
            for word in words:
                having[word].append(id_)
        most = max(_TELLING_COUNT, int(len(headlines) * _TELLING_PART))
        # Among a few headlines, what most of them have tells nothing either.
        most = min(most, max(_PAIR, len(headlines) // 2))
        self._having = {word: ids for word, ids in having.items() if 1 < len(ids) <= most}

    def related_to(self, id_: int) -> frozenset[int]:
        """The ids whose headlines are related to this one's, without itself."""
        return self._overlapping(id_, RELATED)

    def similar_to(self, id_: int, *, known: Set[int]) -> frozenset[int]:
        """The ids of similar headlines, in two steps; the first leaves out those in `known`."""
        near = self._overlapping(id_, SIMILAR) - known
        return near.union(*(self._overlapping(other, SIMILAR) for other in near))

    def _overlapping(self, id_: int, overlap: HeadlineOverlap) -> frozenset[int]:
        shared = Counter(chain.from_iterable(self._having.get(w, ()) for w in self._words[id_]))
        shared.pop(id_, None)
        own = len(self._words[id_])
        return frozenset(
            other
            for other, count in shared.items()
            if count >= overlap.words and count >= min(own, len(self._words[other])) * overlap.part
        )


def first_of_each(headlines: Iterable[tuple[int, str]]) -> dict[int, int]:
    """For each id whose headline came before: the id of the first one that had it."""
    first: dict[frozenset[str], int] = {}
    originals = ((id_, first.setdefault(same_headline_key(text), id_)) for id_, text in headlines)
    return {id_: original for id_, original in originals if original != id_}
