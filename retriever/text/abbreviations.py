"""English abbreviations and names that end with a mark, without their last full stop, by what may follow them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BEFORE_ANYTHING = _words("approx ca cf e.g i.e v viz vs")
"""In lower case. A sentence never ends with them."""

BEFORE_NUMBER = _words(
    "No Nos no nos Fig Figs fig figs Sec Secs sec Eq Eqs eq Op op Ch ch Vol Vols vol vols Pt pt Para para "
    "p pp l ll Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec b c d ed est fl r Ex Tab"
)
"""Abbreviations where a number follows, words or ends of sentences where none does."""

MAY_END = _words(
    "Inc Ltd Corp Co Bros Jr Sr Ph.D St Ave Blvd Rd Mt Ft Dr Mr Mrs Ms Mme Prof Gen Lt Col Rev Sen Rep "
    "Capt Sgt Maj Adm Gov Pres Hon Messrs"
)
"""They end a sentence only where a word follows that begins one: "Orbel Inc. The firm", "Orbel Inc. Records"."""

LOWER_CASE = _words("al approx ca cf ed eds esp est etc fl incl max resp subsp trans transl var viz vs")
"""What is an abbreviation in lower case; other words in lower case are whole ("art", though "Art." may be one)."""

UNITS = _words("°C °F min sec hr hrs h s ft in lb lbs oz mi km m cm mm kg g mg l ml")
"""After a number; a sentence may end with them."""

NAMES_WITH_MARK = _words("Yahoo! Yum! Jeopardy! E! Panic! Therapy?")
"""Names whose mark ends no sentence, unless a word follows that begins one."""

CLASSES = _words(
    "class exit figure gate an grade group hepatitis influenza level option part phase plan point room "
    "section step team type unit vitamin ward"
)
"""In lower case: a single letter after them names one of several, and is no initial of a person."""
