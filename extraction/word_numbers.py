"""The numbers that Word shows before paragraphs: they stand in no text, but are counted as ``numbering.xml`` says."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import overload
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from extraction.numerals import MOST, roman

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHOICE = (
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"  # what is read is the fallback
)
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_NUMBERING, _STYLES = "word/numbering.xml", "word/styles.xml"
_STORY = re.compile(r"word/(?:document|footnotes|endnotes)\d*\.xml")
_PLACE = re.compile(r"%([1-9])")
_MOST_LEVELS = 9  # of a list in Word
_MOST_STYLES = 20  # each based on the next
_LETTERS = 26
_LONGEST_IN_LETTERS = 20  # more are written in digits


def with_numbers(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The parts of a package with the number of each paragraph before its text, and no list that counts by itself.

    Raises:
        ElementTree.ParseError: when a part that has to be read is no XML.
    """
    stories = [name for name in parts if _STORY.fullmatch(name)]
    if _NUMBERING not in parts or not stories:
        return dict(parts)
    numbering = _parsed(parts[_NUMBERING])
    changed = {}
    for name in stories:
        story = _parsed(parts[name])
        lists = _Lists(numbering, _parsed(parts[_STYLES]) if _STYLES in parts else None)
        for paragraph in _paragraphs(story):
            number = lists.number(paragraph)
            if number and any(child.tag != f"{_W}pPr" for child in paragraph):
                _write_before(paragraph, f"{number} ")
        changed[name] = _written(story)
    for form in numbering.iter(f"{_W}numFmt"):
        form.set(f"{_W}val", "bullet")
    return {**parts, **changed, _NUMBERING: _written(numbering)}


def _parsed(content: bytes) -> Element:
    return ElementTree.fromstring(content)  # noqa: S314 expat stops entities that grow without end


def _written(root: Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _paragraphs(root: Element) -> Iterator[Element]:
    """The paragraphs in their order, those in text boxes once."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.tag == f"{_W}p":
            yield element
        waiting += [child for child in reversed(element) if child.tag != _CHOICE]


def _write_before(paragraph: Element, text: str) -> None:
    run = Element(f"{_W}r")
    ElementTree.SubElement(run, f"{_W}t", {_SPACE: "preserve"}).text = text
    paragraph.insert(1 if paragraph[0].tag == f"{_W}pPr" else 0, run)


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level of a list is counted and written. ``restarts_below``: levels from 0; None: all above it."""

    start: int
    form: str
    text: str
    in_digits: bool
    restarts_below: int
    style: str | None

    @classmethod
    def of(cls, element: Element, index: int) -> "_Level":
        restart = _whole(_value(element, "lvlRestart"))
        return cls(
            start=_whole(_value(element, "start"), 1),
            form=_value(element, "numFmt") or "decimal",
            text=f"%{index + 1}." if (text := _value(element, "lvlText")) is None else text,
            in_digits=element.find(f"{_W}isLgl") is not None,
            restarts_below=index if restart is None else restart,
            style=_value(element, "pStyle"),
        )


@dataclass(slots=True)
class _List:
    """A list (``w:num``): its levels, and what they count. Lists of one definition count on, but where one restarts."""

    levels: dict[int, _Level]
    counts: dict[int, int]
    restarts: dict[int, int] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)

    def next(self, index: int) -> str | None:
        """The number of the next paragraph on this level; None where it has a bullet, or nothing."""
        level = self.levels.get(index)
        if level is None:
            return None
        if index in self.restarts and index not in self.begun:
            self.counts.pop(index, None)
        self.begun.add(index)
        self.counts[index] = self.counts[index] + 1 if index in self.counts else self._start(index)
        for below in [below for below in self.counts if below > index]:
            if below not in self.levels or index < self.levels[below].restarts_below:
                del self.counts[below]
        if level.form == "bullet":
            return None
        return _PLACE.sub(lambda place: self._shown(int(place[1]) - 1, in_digits=level.in_digits), level.text)

    def _start(self, index: int) -> int:
        return self.restarts.get(index, self.levels[index].start)

    def _shown(self, index: int, *, in_digits: bool) -> str:
        if index not in self.levels:
            return ""
        number = self.counts.get(index, self._start(index))
        return str(number) if in_digits else _formatted(number, self.levels[index].form)


class _Lists:
    """The lists of a file; asked for each of its paragraphs in their order."""

    def __init__(self, numbering: Element, styles: Element | None) -> None:
        definitions = {
            _own(element, "abstractNumId"): element for element in numbering.iter(f"{_W}abstractNum")
        }
        linked = {_value(element, "styleLink"): element for element in definitions.values()}
        levels = {name: _levels(element) for name, element in definitions.items()}
        counts: dict[str | None, dict[int, int]] = {}
        self._lists: dict[str | None, _List] = {}
        for element in numbering.iter(f"{_W}num"):
            definition = definitions.get(_value(element, "abstractNumId"))
            if definition is None:
                continue
            definition = linked.get(_value(definition, "numStyleLink") or "", definition)
            known = _own(definition, "abstractNumId")
            found = _List(dict(levels[known]), counts.setdefault(known, {}))
            for override in element.iter(f"{_W}lvlOverride"):
                index = _whole(_own(override, "ilvl"), 0)
                found.levels |= _levels(override)
                if (start := _whole(_value(override, "startOverride"))) is not None:
                    found.restarts[index] = start
            self._lists[_own(element, "numId")] = found
        self._styles = {_own(style, "styleId"): style for style in (() if styles is None else styles)}

    def number(self, paragraph: Element) -> str | None:
        """What stands before the paragraph; None where nothing does, or a bullet."""
        properties = paragraph.find(f"{_W}pPr")
        if properties is None:
            return None
        name, index = _list_of(properties)
        style = _value(properties, "pStyle")
        for _ in range(_MOST_STYLES):
            if name is not None or style not in self._styles:
                break
            own = self._styles[style].find(f"{_W}pPr")
            if own is not None:
                name, above = _list_of(own)
                index = above if index is None else index
            if name is None:
                style = _value(self._styles[style], "basedOn")
        found = self._lists.get(name)
        if found is None:
            return None
        if index is None:
            levels = (
                at for at, level in found.levels.items() if level.style is not None and level.style == style
            )
            index = next(levels, 0)
        return found.next(index)


def _levels(element: Element) -> dict[int, _Level]:
    levels = [(_whole(_own(level, "ilvl"), 0), level) for level in element.findall(f"{_W}lvl")]
    return {index: _Level.of(level, index) for index, level in levels if index < _MOST_LEVELS}


def _list_of(properties: Element) -> tuple[str | None, int | None]:
    """The list that properties of a paragraph name, and the level in it."""
    found = properties.find(f"{_W}numPr")
    return (None, None) if found is None else (_value(found, "numId"), _whole(_value(found, "ilvl")))


def _own(element: Element, name: str) -> str | None:
    return element.get(f"{_W}{name}")


def _value(element: Element, name: str) -> str | None:
    child = element.find(f"{_W}{name}")
    return None if child is None else _own(child, "val")


def _formatted(number: int, form: str) -> str:
    match form:
        case "none":
            return ""
        case "decimalZero":
            return f"{number:02}"
        case "lowerLetter" | "upperLetter" if 0 < number <= _LETTERS * _LONGEST_IN_LETTERS:
            times, letter = divmod(number - 1, _LETTERS)
            text = chr(ord("a") + letter) * (times + 1)
        case "lowerRoman" | "upperRoman" if 0 < number <= MOST:
            text = roman(number)
        case _:
            return str(number)
    return text.upper() if form.startswith("upper") else text


@overload
def _whole(text: str | None, otherwise: int) -> int: ...
@overload
def _whole(text: str | None) -> int | None: ...
def _whole(text: str | None, otherwise: int | None = None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,9}", text) else otherwise
