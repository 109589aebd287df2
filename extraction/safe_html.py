"""HTML that is safe to parse: of what takes a parser minutes or gigabytes, nothing gets to it.

Some pages take the parser quadratic time: 100,000 nested elements took two minutes. So the tags are counted before. The
parser gets what was counted and nothing else: comments and scripts, where a tag may hide from one of the two, are out.
"""

import re
from collections import Counter

from extraction.extracted import UnreadableError
from extraction.structure import names

_LONGEST = 50_000_000  # characters
_MOST_TAGS = 1_000_000
_DEEPEST = 1000
_MOST_WORK = 20_000_000  # steps of the parser, about: some tenths of a second
_STEP_HERE = 10  # a step of ours takes so many times one of the parser
_OPENED_ANEW = 1_000_000  # formatting elements

_SPACE = r"[\t\n\f\r ]"
_NAME = r"(?:=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)"
_VALUE = rf"{_SPACE}*+={_SPACE}*+(?:\"[^\"]*+\"|'[^']*+'|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)?+"
_ATTRIBUTE = re.compile(rf"{_NAME}(?:{_VALUE})?+")
_TOKEN = re.compile(
    r"(?P<comment><!--(?:-?>|.*?--!?>|.*))"
    r"|(?P<data><!\[CDATA\[)"
    r"|(?P<bogus><(?:[!?]|/[^a-zA-Z])[^>]*+(?:>|\Z))"
    rf"|<(?P<close>/?)(?P<name>[a-zA-Z][^\t\n\f\r />]*+)(?P<rest>(?:[\t\n\f\r /]++|{_ATTRIBUTE.pattern})*+)(?:>|\Z)",
    re.DOTALL,
)
_NOTHING = "<!---->"  # keeps what stands before and after apart
_FORMATTING = names("a b big code em font i nobr s small strike strong tt u")
_VOID = names("area base br col embed hr img input link meta param source track wbr")
_CLOSE_THEMSELVES = _VOID | names(
    "p li dt dd tr td th thead tbody tfoot caption colgroup option html head body"
)
_SPECIAL = names(
    "address applet article aside blockquote button center details dir div dl fieldset figcaption figure footer form "
    "frameset h1 h2 h3 h4 h5 h6 header hgroup iframe listing main marquee menu nav noembed noframes noscript object ol "
    "plaintext pre search section select style summary table template textarea title ul xmp script"
)
_OF_HTML = (
    _FORMATTING
    | _CLOSE_THEMSELVES
    | _SPECIAL
    | names(
        "abbr audio bdi bdo canvas cite data datalist del dfn dialog ins kbd label legend map mark math meter optgroup "
        "output picture progress q rb rp rt rtc ruby samp slot span sub sup svg time var video"
    )
)
_SCOPES = names(
    "applet marquee object select table template svg math foreignobject desc annotation-xml mi mo mn ms mtext"
)
_FOREIGN = ("svg", "math")
_RAW = names("iframe noembed noframes script style textarea title xmp")


def safe_html(page: str) -> str:
    """The page without comments and the contents of scripts and the like, which nobody sees.

    Raises:
        UnreadableError: when it would take a parser more than about a second.
    """
    if len(page) > _LONGEST:
        raise UnreadableError(
            f"The page has {len(page):,} characters, and {_LONGEST:,} are the most; split it."
        )
    nesting, parts, at = _Nesting(), [], 0
    while (token := _TOKEN.search(page, at)) is not None:
        parts.append(page[at : token.start()])
        at = token.end()
        if token["comment"] is not None:
            parts.append(_NOTHING)
        elif token["data"] is not None:
            parts.append(" ")
        elif token["bogus"] is not None:
            parts.append(token["bogus"])
        else:
            name = token["name"].lower() if token["name"].isascii() else token["name"]
            if token["rest"].endswith("/") and name not in _OF_HTML:
                parts.append(_NOTHING)  # an element of a drawing, without contents
                continue
            nesting.take(name, token["rest"], closes=bool(token["close"]))
            parts.append(token[0])
            if name in _RAW and not token["close"]:
                text, at = _raw_text(page, name, at)
                parts.append(text.replace("<", "&lt;") if name == "title" else "")
    parts.append(page[at:])
    return "".join(parts)


def _raw_text(page: str, name: str, start: int) -> tuple[str, int]:
    """What stands in an element without elements, and where its end begins."""
    end = re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE | re.ASCII).search(page, start)
    return (page[start:], len(page)) if end is None else (page[start : end.start()], end.start())


class _Nesting:
    """The elements that may be open after each tag: all that are, and some that the parser has closed.

    A closing tag is taken to close its own element alone, and only where the parser does so, too: not beyond the table,
    template and the like that it stands in, and one that is not special not beyond one that is.
    """

    def __init__(self) -> None:
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()  # of those that are open
        self._formatting = self._options = 0
        self._tags = self._work = self._opened_anew = 0

    def take(self, name: str, attributes: str, *, closes: bool) -> None:
        """Take in the next tag; UnreadableError where that is too much for the parser."""
        if closes:
            self._close(name)
        elif name not in _CLOSE_THEMSELVES or any(self._counts[foreign] for foreign in _FOREIGN):
            self._open.append(name)
            self._count(name, 1)
        self._options += name == "option" and not closes
        self._tags += 1
        self._work += len(self._open) + (self._options if name == "option" else 0)
        self._work += sum(1 for _ in _ATTRIBUTE.finditer(attributes)) ** 2 if len(attributes) > 200 else 0
        self._opened_anew += 0 if name in _FORMATTING else self._formatting
        if len(self._open) > _DEEPEST or self._opened_anew > _OPENED_ANEW:
            raise UnreadableError(
                f"The page nests more than {_DEEPEST:,} elements in each other; close them, or leave it out."
            )
        if self._tags > _MOST_TAGS or self._work > _MOST_WORK:
            raise UnreadableError(
                f"The page has more elements or attributes than can be read ({self._tags:,} tags so far); split it."
            )

    def _close(self, name: str) -> None:
        if not self._counts[name]:
            return
        beyond_special = name in _SPECIAL or name in _FORMATTING
        for place in range(len(self._open) - 1, -1, -1):
            self._work += _STEP_HERE
            other = self._open[place]
            if other == name:
                del self._open[place]
                self._count(name, -1)
                return
            if other in _SCOPES or (other in _SPECIAL and not beyond_special):
                return

    def _count(self, name: str, change: int) -> None:
        self._counts[name] += change
        self._formatting += change * (name in _FORMATTING)
