import re

import pytest

from extraction.markup.rst import _reference_text
from index_builder.corpora import Malformed, open_corpus
from tests.growth import assert_linear
from tests.index_builder.corpora.reading import blocks, only_document, only_problem, texts


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        path = tmp_path / "guide.rst"
        path.write_bytes(text.encode())
        return path

    return write


GUIDE = """\
.. _House:

=====
House
=====

:Author: Ann
:orphan:

All **must** read `these rules <https://example.org>`_ and ``obey``,
*always*; see :ref:`the boiler <boiler>` and :pep:`517`.

.. comment

Boiler
======

.. versionadded:: 2.0

1. Switch it off.
2. Wait::

     sleep 60

     echo done

   Then go on.

* slowly

.. tab:: Unix

    Run *this*:

    .. code-block:: sh

        run it

.. toctree::

   other

.. note:: Mind it.

=====  =====
Part   Price
=====  =====
Valve  12 €
Pump   80 €
=====  =====

Term
    What it means.

--quiet  Says nothing.

.. raw:: html

   <p>no</p>

.. include:: /etc/passwd
"""


def test_what_a_reader_sees_is_kept_with_its_lines(written):
    house, boiler = ("House",), ("House", "Boiler")
    assert blocks(written(GUIDE)) == [
        ("heading", "House", (), "line 4"),
        ("field", "Author: Ann", house, "line 7"),
        (
            "paragraph",
            "All must read these rules and obey, always; see the boiler and PEP 517.",
            house,
            "line 10",
        ),
        ("heading", "Boiler", house, "line 15"),
        ("paragraph", "Added in version 2.0", boiler, "line 18"),
        ("item", "1. Switch it off.", boiler, "line 20"),
        ("item", "2. Wait:", boiler, "line 21"),
        ("code", "sleep 60\n\necho done", boiler, "line 23"),
        ("paragraph", "Then go on.", boiler, "line 27"),
        ("item", "slowly", boiler, "line 29"),
        ("heading", "Unix", boiler, "line 31"),
        ("paragraph", "Run this:", (*boiler, "Unix"), "line 33"),
        ("code", "run it", (*boiler, "Unix"), "line 37"),
        ("paragraph", "Mind it.", boiler, "line 43"),
        ("row", "Part: Valve; Price: 12 €", boiler, "line 48"),
        ("row", "Part: Pump; Price: 80 €", boiler, "line 49"),
        ("field", "Term: What it means.", boiler, "line 52"),
        ("field", "--quiet: Says nothing.", boiler, "line 55"),
    ]


def test_the_title_is_the_first_heading(written):
    assert only_document(written(GUIDE)).title == "House"
    assert only_document(written("No heading.\n")).title == "guide"


def test_other_files_are_not_read(written, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    secret = f"{tmp_path}/secret.txt"
    text = (
        f"Text.\n\n.. include:: {secret}\n\n.. literalinclude:: {secret}\n\n"
        f".. raw:: html\n   :file: {secret}\n\n.. csv-table::\n   :file: {secret}\n"
    )
    assert only_document(written(text)).text == "Text."


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("A `broken link`_ and |unknown|.", "A broken link and |unknown|."),
        ("Said [#]_ so.\n\n.. [#] Below.", "Said [1] so.\n\n[1] Below."),
        ("| one\n| two", "one\ntwo"),
        (".. figure:: x.png\n\n   The caption.", "The caption."),
        (">>> 1 + 1\n2", ">>> 1 + 1\n2"),
        ("a. one\nb. two", "a. one\nb. two"),
        (":func:`~os.path.join` joins", "os.path.join joins"),
        (r":func:`cast(\<type\>, a) <typing.cast>` and :func:`\*twice`", "cast(<type>, a) and *twice"),
        (r":file:`C:\\*.ini` stays", r"C:\\*.ini stays"),
        (":meth:`.Session.run`, :meth:`!stop`, :option:`!-M`", "Session.run, stop, -M"),
        (":file:`~/.netrc`, :file:`.env`, :kbd:`~`, :doc:`../x`", "~/.netrc, .env, ~, ../x"),
        (":octicon:`tag;1em;sd-text` New :fas:`gears` :bdg-link-success:`#1 <https://x.org>`", "New #1"),
        (
            "A |br| b |name| of |version|.\n\n.. |br| raw:: html\n\n   <br>\n\n.. |name| replace:: *N*",
            "A b N of .",
        ),
        (".. |br| raw:: html\n\n   <br>\n\n.. card::\n\n   A |br| b", "A b"),
        (".. card::\n\n   Head\n   ^^^\n   Body\n   +++\n   Foot", "Head\n\nBody\n\nFoot"),
        (".. console::\n\n   $ *run*", "$ *run*"),
        ("Unclosed *emphasis here", "Unclosed *emphasis here"),
        (".. unknown-thing::\n   :option: x\n\nText.", "Text."),
    ],
)
def test_marks_are_no_text(written, text, seen):
    assert only_document(written(text)).text == seen


def test_a_file_without_text_is_a_sentence(written):
    assert only_problem(written(".. comment\n")) == Malformed(
        "guide.rst:1", "The file holds no text; leave it out, or put text into it."
    )


def test_deep_nesting_is_a_sentence_or_a_text_but_never_a_traceback(written):
    text = "\n".join(" " * n + "* deep\n" for n in range(0, 2000, 2))
    assert only_problem(written(text)).problem == "The file nests too deeply; make it flatter."


def test_a_line_that_is_too_long_for_docutils_is_a_sentence(written):
    problem = only_problem(written("word " * 25_000)).problem
    assert problem == "The file has a line of more than 100,000 characters; break it."


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("`Title <target>`_", "Title"),
        ("`Title\n<target>`__", "Title"),
        ("name_", "name"),
        ("`a < b`_", "a < b"),
        ("`<target>`_", "<target>"),
        ("no reference", "no reference"),
    ],
)
def test_what_a_reader_sees_of_a_reference(text, seen):
    assert _reference_text(text) == seen


@pytest.mark.parametrize(("unit", "after", "unseen"), [(" ", "x", ""), ("<", "_", "_")])
def test_a_long_reference_takes_time_in_proportion_to_its_length(unit, after, unseen):
    def seen(characters: int) -> None:
        text = unit * characters + after
        assert _reference_text(text) == text.removesuffix(unseen)

    assert_linear(seen, 50_000)  # it took a minute for four times as many


@pytest.mark.parametrize(
    "text",
    [
        ".. code-block:: unseen\n   :caption: unseen\n   :emphasize-lines: 1\n\n   seen_code = 1\n",
        ".. code-block:: unseen\n   :linenos:\n   :lineno-start: 3\n\n   seen_code = 1\n",
        ".. math::\n   :label: unseen\n\n   seen_a + seen_b\n",
        ".. math:: seen_a\n   :label: unseen\n",
        ".. note:: seen_first\n   seen_second\n   :collapsible:\n\n   seen_body\n",
        ".. figure:: unseen.png\n   :unknown: unseen\n\n   seen_caption\n\n   seen_legend\n",
        ".. list-table:: seen_title\n   :header-rows: 1\n\n   * - seen_a\n     - seen_b\n   * - seen_c\n",
        ".. csv-table:: seen_title\n   :unknown: x\n\n   seen_a,seen_b\n",
        ".. table:: seen_title\n   :unknown: x\n\n   ====== ======\n   seen_a seen_b\n   ====== ======\n",
        "+--------+--------+\n| seen_a | seen_b |\n+--------+\n| seen_c | seen_d |\n+--------+--------+\n",
        "======= ======\nseen_a too far\n======= =======\n",
        "seen_a\n======\n\nseen_b\n------\n\nseen_c\n~~~~~~\n\nseen_d\n======\n\nseen_e\n~~~~~~\n\nseen_f\n",
        "======\nseen_a\n\nseen_b\n",
        "- seen_item\n\n  seen_a\n  ======\n\n  seen_b\n",
        ".. seealso:: seen_first\n   seen_second\n",
        ".. todo:: seen_argument\n",
        ".. option:: --seen_option=FILE\n",
        ".. py:function:: seen_function(a)\n\n   :returns: seen_meaning\n",
        ".. custom:: This is seen_prose.\n",
        ".. tab:: seen_title\n   :unknown: unseen\n     unseen too\n\n   seen_content\n",
        ".. only:: unseen\n\n   seen_content\n",
        ".. automodule:: unseen.module\n   :members: unseen,\n     unseen\n",
        ".. include:: unseen.txt\n   :unknown:\n",
        ".. role:: unseen(unseen)\n",
        "the _`seen_target seen_other` seen_after\n",
        "+----------+\n| - seen_a |\n| - seen_b |\n+----------+\n",
        "+------------------+\n| .. note:: seen_a |\n|    :unknown:     |\n+------------------+\n",
    ],
)
def test_no_word_that_a_reader_sees_is_missing(written, text):
    (document,) = [item.document for item in open_corpus(str(written("Head.\n\n" + text)))]
    assert sorted(set(re.findall(r"\bseen_\w+", document.text))) == sorted(
        set(re.findall(r"\bseen_\w+", text))
    )
    assert "unseen" not in document.text


def test_what_docutils_refuses_is_shown_as_what_it_is(written):
    text = (
        "House\n=====\n\nBoiler\n------\n\nValve\n~~~~~\n\nTram\n====\n\nTrack\n~~~~~\n\nLong.\n\n"
        ".. code-block:: python\n   :caption: Cap\n\n   if x:\n       y = 1\n\n"
        "+---+\n| a |\n+--+\n| b |\n+---+\n\n.. figure:: x.png\n   :unknown:\n\n   The *valve*.\n"
    )
    assert blocks(written(text))[3:] == [
        ("heading", "Tram", (), "line 10"),
        ("heading", "Track", ("Tram",), "line 13"),
        ("paragraph", "Long.", ("Tram", "Track"), "line 16"),
        ("code", "if x:\n    y = 1", ("Tram", "Track"), "line 21"),
        ("code", "+---+\n| a |\n+--+\n| b |\n+---+", ("Tram", "Track"), "line 24"),
        ("paragraph", "The valve.", ("Tram", "Track"), "line 33"),
    ]


def test_a_class_of_a_program_is_told_and_one_of_style_is_not(written):
    text = (
        ".. class:: Point(x, y)\n\n   In the plane.\n\n   .. method:: norm(a, \\\n         b=1)\n      :async:\n\n"
        "      Its length.\n\n.. class:: collections.Counter\n\n.. class:: Foo\n   :module: x\n\n   - one\n\n"
        ".. class:: big red\n\nStyled.\n\n.. class:: small\n\n   Too.\n\n::\n\n   .. class:: Shown(x)\n"
    )
    assert blocks(written(text)) == [
        ("paragraph", "Point(x, y)", (), "line 1"),
        ("paragraph", "In the plane.", (), "line 3"),
        ("paragraph", "norm(a, b=1)", (), "line 5"),
        ("paragraph", "Its length.", (), "line 9"),
        ("paragraph", "collections.Counter", (), "line 11"),
        ("paragraph", "Foo", (), "line 13"),
        ("item", "one", (), "line 16"),
        ("paragraph", "Styled.", (), "line 20"),
        ("paragraph", "Too.", (), "line 24"),
        ("code", ".. class:: Shown(x)", (), "line 28"),
    ]


def test_a_reference_to_a_section_of_the_file_shows_its_title(written):
    text = (
        "Guide\n=====\n\n- :ref:`The-Pump`\n- :ref:`lamp  one`, :ref:`so <the-pump>`\n- :ref:`elsewhere`\n\n"
        ".. note::\n\n   See :ref:`the-pump`.\n\n.. seealso::\n\n   :std:ref:`lamp one`\n\n"
        ".. _the-pump:\n.. _lamp one:\n\nThe *pump*\n----------\n\nText, ``:ref:`the-pump```.\n"
    )
    assert blocks(written(text)) == [
        ("heading", "Guide", (), "line 1"),
        ("item", "The pump", ("Guide",), "line 4"),
        ("item", "The pump, so", ("Guide",), "line 5"),
        ("item", "elsewhere", ("Guide",), "line 6"),
        ("paragraph", "See The pump.", ("Guide",), "line 10"),
        ("paragraph", "The pump", ("Guide",), "line 14"),
        ("heading", "The pump", ("Guide",), "line 19"),
        ("paragraph", "Text, :ref:`the-pump`.", ("Guide", "The pump"), "line 22"),
    ]


def test_the_target_above_a_heading_is_not_shown_a_second_time(written):
    text = (
        "Settings\n========\n\n.. setting:: DELAY\n\nDELAY\n-----\n\nDefault: ``0``\n\n.. command:: run\n"
        ".. setting:: LIMIT\n\n``LIMIT``\n---------\n\nNone.\n\n.. setting:: told\n\n   With *its* meaning.\n"
    )
    assert [(kind, seen) for kind, seen, *_ in blocks(written(text))] == [
        ("heading", "Settings"),
        ("heading", "DELAY"),
        ("paragraph", "Default: 0"),
        ("heading", "LIMIT"),
        ("paragraph", "None."),
        ("paragraph", "told"),
        ("paragraph", "With its meaning."),
    ]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("-a FILE, --all=FILE  Reads all.", "-a FILE, --all=FILE: Reads all."),
        ("10\\ :sup:`6` and the 19\\ :sup:`th`, H\\ :sub:`2`\\ O", "10⁶ and the 19th, H2O"),
        (".. versionchanged:: 3.2 Now faster.", "Changed in version 3.2: Now faster."),
        (".. deprecated:: 1.2\n   Use the\n   other.", "Deprecated since version 1.2: Use the other."),
        (".. versionadded:: 2.0\n\n   Faster.", "Added in version 2.0: Faster."),
        (".. version-added:: 2.0\n\n   *So* it is.", "Added in version 2.0: So it is."),
        (".. versionadded:: 2.0\n\n   - Faster.", "Added in version 2.0:\n\nFaster."),
        (".. versionadded:: 2.0\n\n   1. Faster.", "Added in version 2.0:\n\n1. Faster."),
        ("the _`Norwegian Blue` parrot", "the Norwegian Blue parrot"),
        ("+------+----+\n| - a  | c  |\n| - b  |    |\n+------+----+", "a b; c"),
    ],
)
def test_words_do_not_run_together(written, text, seen):
    assert only_document(written(text)).text == seen


def test_the_lines_of_a_field_may_hang(written):
    text = (
        ".. function:: serve()\n\n"
        "   :param float delay: a delay before a connection is\n"
        "                       closed after a request. It\n"
        "                       is short.\n\n"
        "                       Behind a proxy it is longer.\n\n"
        "      .. versionadded:: 3.8\n\n"
        "   :param ssl: a :class:`Context`,\n"
        "        or so : yes\n\n"
        "      More.\n\n"
        "   :param x: one\n"
        "      line\n"
    )
    assert blocks(written(text)) == [
        ("paragraph", "serve()", (), "line 1"),
        (
            "field",
            "param float delay: a delay before a connection is closed after a request. It is short.",
            (),
            "line 3",
        ),
        ("paragraph", "Behind a proxy it is longer.", (), "line 7"),
        ("paragraph", "Added in version 3.8", (), "line 9"),
        ("field", "param ssl: a Context, or so : yes", (), "line 11"),
        ("paragraph", "More.", (), "line 14"),
        ("field", "param x: one line", (), "line 16"),
    ]


def test_a_term_is_parted_from_its_meaning_whatever_stands_in_it(written):
    text = "Term :custom:`x` : kind\n    What it *means*.\n\nWhy so?\n    Because.\n"
    assert blocks(written(text)) == [
        ("field", "Term x, kind: What it means.", (), "line 1"),
        ("field", "Why so? Because.", (), "line 4"),
    ]


def test_an_item_keeps_its_number_where_its_lines_hang_or_a_term_begins_it(written):
    text = (
        "1. Create it.\n       Make sure of it.\n2. Open the file:\n       Now.\n3. a dict,\n       or a list\n"
        "4. ``opt``\n       What it does.\n5. :field: value\n6. -q  Says nothing.\n"
    )
    assert blocks(written(text)) == [
        ("item", "1. Create it. Make sure of it.", (), "line 1"),
        ("item", "2. Open the file: Now.", (), "line 3"),
        ("item", "3. a dict, or a list", (), "line 5"),
        ("item", "4. opt: What it does.", (), "line 7"),
        ("item", "5. field: value", (), "line 9"),
        ("item", "6. -q: Says nothing.", (), "line 10"),
    ]


@pytest.mark.parametrize("box", [".. tab:: Name", ".. admonition:: Name"])
def test_the_number_of_an_item_is_no_part_of_a_label(written, box):
    text = f"1. {box}\n\n      Text.\n\n2. .. list-table:: Name\n\n      * - a\n        - b\n"
    assert [(kind, seen) for kind, seen, *_ in blocks(written(text))] == [
        ("item", "1."),
        ("heading", "Name"),
        ("paragraph", "Text."),
        ("item", "2."),
        ("paragraph", "Name"),
        ("row", "a; b"),
    ]


def test_the_number_of_an_item_is_no_part_of_a_cell(written):
    text = "1. ===== =====\n   a     b\n   ===== =====\n"
    assert [(kind, seen) for kind, seen, *_ in blocks(written(text))] == [("item", "1."), ("row", "a; b")]


def test_an_object_tells_its_type_and_its_default(written):
    text = (
        ".. confval:: project\n   :type: :code-py:`str`\n   :no-index:\n   :default: the ``NAME``,\n      or none\n\n"
        "   Its *name*.\n\n.. py:data:: limit\n   :value: 3\n\n.. code-block:: sh\n   :type: unseen\n\n   run\n"
    )
    assert blocks(written(text)) == [
        ("paragraph", "project", (), "line 1"),
        ("field", "type: str", (), "line 2"),
        ("field", "default: the NAME, or none", (), "line 4"),
        ("paragraph", "Its name.", (), "line 7"),
        ("paragraph", "limit", (), "line 9"),
        ("field", "value: 3", (), "line 10"),
        ("code", "run", (), "line 15"),
    ]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("See `~.Handler.prepare` and `.task`.", "See Handler.prepare and task."),
        ("The `settings\n<.Application.settings>`, `x <other>`, `a b`.", "The settings, x, a b."),
        ("`.Config`-based, ``.task``", "Config-based, .task"),
        ("Add it to `.gitignore`, with `git add <name>`.", "Add it to .gitignore, with git add <name>."),
        ("The `.NET` of `~/.netrc`.", "The .NET of ~/.netrc."),
    ],
)
def test_names_of_objects_in_single_backquotes_lose_their_marks_where_the_file_has_such(written, text, seen):
    assert only_document(written(text)).text == seen


def test_a_heading_that_names_an_object_is_referred_to_without_marks(written):
    text = ".. _it:\n\n`.Config` object\n================\n\nSee :ref:`it`.\n"
    assert texts(written(text)) == ["Config object", "See Config object."]
