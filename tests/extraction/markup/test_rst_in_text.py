import pytest

from tests.index_builder.corpora.reading import blocks, only_document

GUIDE = """\
=======
Storage
=======

.. currentmodule:: storage

Call :meth:`Storage.save`::

    save()
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str, name: str = "guide.txt"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


@pytest.mark.parametrize("name", ["guide.txt", "README"])
def test_a_text_file_that_is_restructuredtext_is_read_as_such(written, name):
    path = written(GUIDE.replace("\n", "\r\n"), name)
    assert only_document(path).title == "Storage"
    assert blocks(path) == [
        ("heading", "Storage", (), "line 2"),
        ("paragraph", "Call Storage.save:", ("Storage",), "line 7"),
        ("code", "save()", ("Storage",), "line 9"),
    ]


@pytest.mark.parametrize(
    "marks",
    [
        ".. note::\n\n   One.\n\n.. _here: https://x.org\n",
        "`One <https://x.org>`_ and :doc:`two`.\n",
        ".. toctree::\n   :maxdepth: 1\n\n   one\n",
    ],
)
def test_a_heading_and_two_marks_or_a_table_of_contents_tell_it(written, marks):
    assert "==" not in only_document(written("Head\n====\n\nText.\n\n" + marks)).text


@pytest.mark.parametrize(
    "text",
    [
        "Head\n====\n\nText *so*.\n\n----\n\nMore::\n\n    x\n",
        "Head\n====\n\nOnly :ref:`one` mark.\n",
        "Head\n====\n\n``:ref:`one``` and ``:ref:`two```, a:b:`c`, C++::d ::e::f ... and .. so\n",
        "No heading, :ref:`one`, :ref:`two`.\n\n.. note:: Three.\n",
        "A line that is much longer than its marks\n---\n\n:ref:`one`, :ref:`two`.\n",
        "Name   Price\n----   -----\n`x` <y>_ .. note: a\n.. note: b\n",
    ],
)
def test_another_text_stays_as_it_is(written, text):
    assert only_document(written(text)).text == text


def test_restructuredtext_that_cannot_be_read_so_stays_as_it_is(written):
    text = GUIDE + "\n" + "- " * 2_000 + "deep\n"
    assert only_document(written(text)).text == text
