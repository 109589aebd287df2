import re
from math import isqrt

import pytest

from index_builder.corpora import Malformed, open_corpus
from retriever.filters import Filter
from tests.growth import assert_linear
from tests.index_builder.corpora.reading import blocks, only_document, only_problem, texts


@pytest.fixture
def written(tmp_path):
    def write(text: str, name: str = "the-file.md"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


HANDBOOK = """---
title: House rules
tags: [house, rules]
draft: false
updated: 2024-05-01
---
All **must** read [these rules](https://example.org/rules "Rules") and `obey`.

## Boiler {#boiler}

1. Switch it *off*.
2. Wait:

   ```sh
   sleep 60   # seconds

   echo done
   ```

   Then go on.
3. Open it
   - slowly
   - with gloves

| Part  | Price |
|-------|-------|
| Valve | 12 €  |
| Pump  |       |

Term
: What it means.

### Deep

> Quoted<br>twice. <!-- unseen -->

    indented code
"""


def test_what_a_reader_sees_of_markdown_is_kept_with_its_lines(written):
    boiler, deep = ("Boiler",), ("Boiler", "Deep")
    assert blocks(written(HANDBOOK)) == [
        ("paragraph", "All must read these rules and obey.", (), "line 7"),
        ("heading", "Boiler", (), "line 9"),
        ("item", "1. Switch it off.", boiler, "line 11"),
        ("item", "2. Wait:", boiler, "line 12"),
        ("code", "sleep 60   # seconds\n\necho done", boiler, "line 14"),
        ("paragraph", "Then go on.", boiler, "line 20"),
        ("item", "3. Open it", boiler, "line 21"),
        ("item", "slowly", boiler, "line 22"),
        ("item", "with gloves", boiler, "line 23"),
        ("row", "Part: Valve; Price: 12 €", boiler, "line 27"),
        ("row", "Part: Pump", boiler, "line 28"),
        ("field", "Term: What it means.", boiler, "line 30"),
        ("heading", "Deep", boiler, "line 33"),
        ("paragraph", "Quoted\ntwice.", deep, "line 35"),
        ("code", "indented code", deep, "line 37"),
    ]


def test_the_text_is_the_blocks_one_below_the_other(written):
    text = only_document(written("# A\n\n- b\n- c\n\nd\ne\n")).text
    assert text == "A\n\nb\nc\n\nd e"


def test_settings_at_the_top_are_metadata_and_no_text(written):
    document = only_document(written(HANDBOOK))
    assert document.title == "House rules"
    assert document.metadata == {"tags": ["house", "rules"], "draft": False, "updated": "2024-05-01"}
    assert "title:" not in document.text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The tower\n", "The tower"),
        ("intro\n\n## A lamp ##\r\ntext", "A lamp"),
        ("#hashtag\n# C#", "C#"),
        ("# \n# Second", "Second"),
        ("The tower\n====\n", "The tower"),
        ("The tower\nof Cordouan\n====\n", "The tower of Cordouan"),
        ("```sh\n# a comment\n```\n# Real", "Real"),
        ("---\r\n# settings\r\ntitle: x\r\n---\r\n# Real", "x"),
        ("---\ntitle: [\n---\n# Broken settings", "Broken settings"),
        ("+++\ntitle = 'T'\n+++\n# Real", "T"),
        ("---\n# After a rule that nothing closes", "After a rule that nothing closes"),
        ("no heading\n\n---\n", "the-file"),
        ("# ***\n# *Real*  and   `more`", "Real and more"),
    ],
)
def test_the_title_is_that_of_the_settings_or_the_first_heading(written, text, title):
    assert only_document(written(text)).title == title


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('See [the page]({% page "/tools/x" %}) now.', "See the page now."),
        ('Ask in {% slack_channel "travel" %}.', "Ask in travel."),
        ("Read it {% comment %}TODO{% endcomment %}all.", "Read it all."),
        ("Use `{% raw %}` so.", "Use {% raw %} so."),
        ("A note[^1].\n\n[^1]: Said below.", "A note.\n\nSaid below."),
        ("See {ref}`the guide <guide>`, {pep}`517`.", "See the guide, PEP 517."),
        ("(label)=\n\nText.", "Text."),
        ("```{note}\nSee [the page][x].\n```\n\n[x]: https://example.org", "See the page."),
        (":::tip\nText.\n:::", "Text."),
        ("::: {.panel}\nText.\n\n---\n\nMore.\n:::", "Text.\n\nMore."),
        ("![a picture](x.png) beside", "beside"),
        ("H<sub>2</sub>O &amp; more\\*", "H2O & more*"),
        ("# Head\n\nText {/* unseen */} on.", "Head\n\nText on."),
        ("In 2019[^1].\n\n[^1]: https://example.org/report", "In 2019.\n\nhttps://example.org/report"),
        (
            "In 2019[^1].\n[^1]: One.\n[^2]: Two.\n\n    More of *two*.",
            "In 2019.\n\nOne.\n\nTwo.\n\nMore of two.",
        ),
        ("10<sup>6</sup>, the 19<sup>th</sup>, {sup}`2`, <sup>*2*</sup>", "10⁶, the 19th, ², ²"),
        ("```{note} Mind this.\n```", "Mind this."),
        ("```{figure} x.png\n:alt: unseen\n\nThe caption.\n```", "The caption."),
        ("## Name (required) ## { #name }\n\n# C# {#c}", "Name (required)\n\nC#"),
        ('A ![one](a.gif){ loading=lazy .off-glb }![two](b.gif){width="2 0"} b', "A b"),
        ("[here](a.md){ .big }, `x`{.y #z}, *so*{: title='a b' }, **x** {b}", "here, x, so, x {b}"),
        ("`f`{x}, `g`{=html}, dict{a=1}", "f{x}, g{=html}, dict{a=1}"),
        ("- :material-lock:{ .lg .middle } __Safe__ :octicons-x-24: at 10:30:15", "Safe at 10:30:15"),
        ("Set `#!toml a = [1]` in `#!/bin/sh` or `#!python`.", "Set a = [1] in #!/bin/sh or #!python."),
        (
            "By [PEP 517][] and [`Text`][lib.Text], as [*they* say][the other page].",
            "By PEP 517 and Text, as they say.",
        ),
        ("Said [1][2], a[i][j], [x], [ ] and `[a][b]`.", "Said [1][2], a[i][j], [x], [ ] and [a][b]."),
        ("`a link\n<https://x.org>`_, `b <c>`__. `x <y>` `z`_", "a link, b. x <y> z_"),
        (":class:`~x.Command`, a:b:`c`, :meth:`.run <x>`.", "x.Command, a:b:c, .run."),
        ("Text.\n\n.. _Tornado: https://x.org\n.. _`PEP 333`: https://x.org\n\nMore.", "Text.\n\nMore."),
        ("Example::\n\n    x = 1\n\n::\n\n    y\n\nOf a::\n\nb", "Example:\n\nx = 1\n\ny\n\nOf a::\n\nb"),
        ("[known][k], [known][]\n\n[k]: x.md\n[known]: y.md", "known, known"),
    ],
)
def test_what_only_builds_the_page_is_no_text(written, text, seen):
    assert only_document(written(text)).text == seen


def test_an_element_that_says_so_holds_markdown(written):
    text = (
        "<figure markdown>\n  ![one](a.gif){ width=3 }\n  <figcaption>Its caption.</figcaption>\n</figure>\n\n"
        '<div class="note" markdown="1">\nUse *both*:\n- one\n</div>\n\n<div>\nNot *here*.\n</div>\n\n'
        "<div markdown>\n\n## Head\n\n</div>\n"
    )
    assert blocks(written(text)) == [
        ("paragraph", "Its caption.", (), "line 3"),
        ("paragraph", "Use both:", (), "line 7"),
        ("item", "one", (), "line 8"),
        ("paragraph", "Not *here*.", (), "line 12"),
        ("heading", "Head", (), "line 17"),
    ]


def test_what_plugins_of_mkdocs_generate_leaves_no_options(written):
    text = (
        "Its parts:\n::: pump.core.Valve\n    options:\n      members:\n\n      - open\n\nMore.\n\n"
        "::: pump-click\n    :module: pump.cli\n\n::: a.b\n\n::: its-own\n    code\n:::\n\n::: its-own\nSeen.\n:::\n\n"
        "- item\n\n    ::: c.d\n        options: 1\n"
    )
    assert texts(written(text)) == ["Its parts:", "More.", "code", "Seen.", "item"]


def test_a_list_within_a_cell_does_not_run_together(written):
    text = "| Key | Values |\n|---|---|\n| cpu | <ul><li>`v1`</li><li>v2 <b>(default)</b></li></ul> |\n"
    assert texts(written(text)) == ["Key: cpu; Values: v1 v2 (default)"]


def test_a_comment_over_several_paragraphs_is_hidden(written):
    text = "One.\n\n{% comment %}\n\nHidden.\n\n- hidden\n\n{% endcomment %}\n\nTwo."
    assert only_document(written(text)).text == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (
            "Use `{% comment %}` and `{% endcomment %}`.\n\nText.",
            "Use {% comment %} and {% endcomment %}.\n\nText.",
        ),
        ("One {% comment %}\n\nTwo.", "One\n\nTwo."),
        ("One {% comment %} a\n\n```\nb\n```\n\nc {% endcomment %} two", "One\n\ntwo"),
        ("{% comment %}\n\n1. a\n\n| b |\n|---|\n| c |\n\n# d\n\n{% endcomment %}\n\nText.", "Text."),
        ("A {% endcomment %} b {% comment %} c", "A b c"),
        ("{% comment %}\n\n`{% endcomment %}` a\n\n{% endcomment %}b", "b"),
        ("A {% comment %}it`s{% endcomment %} b `c`", "A b c"),
    ],
)
def test_only_what_stands_between_the_ends_of_a_comment_is_hidden(written, text, seen):
    assert only_document(written(text)).text == seen


MODULE_LINES = """import X from 'y'
import {
  a,
} from "b";

import './c.css';

export const meta = {
  a: 1,
}

export default function Page({ a }) {

export { a }

"""
PROSE = """import contacts from Outlook and Gmail

export default calendars to a file

export const is a keyword

import "notes" into the calendar

- import X from 'y'

> export const a = 1
"""


def test_lines_of_modules_are_no_text_in_mdx_alone(written):
    seen = [
        "import contacts from Outlook and Gmail",
        "export default calendars to a file",
        "export const is a keyword",
        'import "notes" into the calendar',
        "import X from 'y'",
        "export const a = 1",
    ]
    assert texts(written(MODULE_LINES + PROSE, "a.mdx")) == seen
    assert texts(written(MODULE_LINES + PROSE, "a.md"))[5:] == seen


def test_blank_lines_do_not_part_an_html_table(written):
    text = (
        "<table>\n<tr><th>Name</th><th>Price</th></tr>\n\n<tr><td>Tea</td><td>3</td></tr>\n\n\n"
        "<tr><td>Cake</td><td>5</td></tr>\n\n</table>\n\n<p>One.</p>\n\n<table>\n\nText.\n"
    )
    assert blocks(written(text)) == [
        ("row", "Name: Tea; Price: 3", (), "line 4"),
        ("row", "Name: Cake; Price: 5", (), "line 7"),
        ("paragraph", "One.", (), "line 11"),
        ("paragraph", "Text.", (), "line 15"),
    ]


def test_directives_show_their_content(written):
    text = (
        "```{note}\nMind *this*.\n```\n\n```{versionadded} 9.0\n```\n\n```{toctree}\nother\n```\n\n"
        "```{code-block} sh\n:linenos:\n\nrun it\n```\n\n```{tab} Unix\nOn *Unix*.\n```\n"
    )
    assert blocks(written(text)) == [
        ("paragraph", "Mind this.", (), "line 2"),
        ("paragraph", "Added in version 9.0", (), "line 5"),
        ("code", "run it", (), "line 12"),
        ("heading", "Unix", (), "line 18"),
        ("paragraph", "On Unix.", ("Unix",), "line 19"),
    ]


@pytest.mark.parametrize("mark", ["```", ":::"])
def test_options_of_a_directive_between_two_rules_are_no_text(written, mark):
    text = (
        f"{mark}{{note}}\n---\nclass: foo\nname: bar\n---\nSeen.\n{mark}\n\n"
        f"{mark}{{code-block}} python\n---\ncaption: |\n  A b\n---\nx = 1\n{mark}\n\n"
        f"{mark}{{figure}} a.png\n---\nwidth: 10px\n---\nIts *caption*.\n{mark}\n\n"
        f"{mark}{{code-block}} yaml\n---\nkey: [\n{mark}\n"
    )
    assert blocks(written(text)) == [
        ("paragraph", "Seen.", (), "line 6"),
        ("code", "x = 1", (), "line 9"),
        ("paragraph", "Its caption.", (), "line 21"),
        ("code", "---\nkey: [", (), "line 24"),
    ]


def test_a_directive_between_colons_shows_its_content_as_markdown(written):
    text = (
        "::::{grid} 1 2\n:gutter: 3\n\n:::{card} Title\n:link: x\n\n## Head\n\nBody *text*.\n:::\n::::\n\n"
        ":::{toctree}\n:maxdepth: 2\nother\n:::\n\nBefore\n:::{its-own}\nMore.\n\n- a\n:::\n- b\n\n"
        "  :::{note}\n  In b.\n  :::\n\n:::{code-block} sh\n:linenos:\nrun *it*\n:::\n\n:::{tip} Open\nto the\n\nend\n"
    )
    assert blocks(written(text)) == [
        ("heading", "Title", (), "line 4"),
        ("heading", "Head", ("Title",), "line 7"),
        ("paragraph", "Body text.", ("Title", "Head"), "line 9"),
        ("paragraph", "Before", (), "line 18"),
        ("paragraph", "More.", (), "line 20"),
        ("item", "a", (), "line 22"),
        ("item", "b", (), "line 24"),
        ("paragraph", "In b.", (), "line 27"),
        ("code", "run *it*", (), "line 30"),
        ("paragraph", "Open", (), "line 35"),
        ("paragraph", "to the", (), "line 36"),
        ("paragraph", "end", (), "line 38"),
    ]


def test_boxes_and_tabs_of_mkdocs_are_read_as_markdown_under_their_labels(written):
    text = (
        '!!! note "Before *you* start"\n\n    You need an account.\n\n    ## Kinds\n\n    - one\n\n'
        "!!! warning inline end\n    Unplug it.\n\n# Install\n\n"
        '=== "Windows"\n\n    1. Open it.\n\n=== "Linux"\n\n    ```sh\n    run it\n    ```\n\n'
        '???+ question "Why?"\n    Because.\n\n- item\n\n    !!! tip\n        Within.\n\nAfter.\n\n'
        "=== no label\n\n!!!\n"
    )
    assert blocks(written(text)) == [
        ("heading", "Before you start", (), "line 1"),
        ("paragraph", "You need an account.", ("Before you start",), "line 3"),
        ("heading", "Kinds", ("Before you start",), "line 5"),
        ("item", "one", ("Before you start", "Kinds"), "line 7"),
        ("paragraph", "Unplug it.", (), "line 10"),
        ("heading", "Install", (), "line 12"),
        ("heading", "Windows", ("Install",), "line 14"),
        ("item", "1. Open it.", ("Install", "Windows"), "line 16"),
        ("heading", "Linux", ("Install",), "line 18"),
        ("code", "run it", ("Install", "Linux"), "line 20"),
        ("heading", "Why?", ("Install",), "line 24"),
        ("paragraph", "Because.", ("Install", "Why?"), "line 25"),
        ("item", "item", ("Install",), "line 27"),
        ("paragraph", "Within.", ("Install",), "line 30"),
        ("paragraph", "After.", ("Install",), "line 32"),
        ("paragraph", "=== no label", ("Install",), "line 34"),
        ("paragraph", "!!!", ("Install",), "line 36"),
    ]
    assert only_document(written(text)).title == "Install"  # no label is a title


def test_boxes_of_docusaurus_vitepress_and_github_show_no_marks(written):
    text = (
        "# Guide\n\n:::tip[Mind *this*]\nA.\n:::\n\n:::note Plain\n\nB.\n\n:::\n\n::: details\nC.\n:::\n\n"
        "::: its-own\nD.\n:::\n\n> [!WARNING]\n> E.\n\n> [!note]- F\n"
    )
    guide = ("Guide",)
    assert blocks(written(text)) == [
        ("heading", "Guide", (), "line 1"),
        ("heading", "Mind this", guide, "line 3"),
        ("paragraph", "A.", ("Guide", "Mind this"), "line 4"),
        ("heading", "Plain", guide, "line 7"),
        ("paragraph", "B.", ("Guide", "Plain"), "line 9"),
        ("paragraph", "C.", guide, "line 14"),
        ("paragraph", "D.", guide, "line 17"),
        ("paragraph", "E.", guide, "line 21"),
        ("paragraph", "F", guide, "line 24"),
    ]


def test_raw_html_has_its_lines(written):
    text = (
        "Before.\n\n<ol>\n<li id=x>One &amp;\ntwo</li>\n\n<li>Three\n<pre>\nx = 1\n</pre></ol>\n<table>\n"
        "<tr><td>a<td>b\n</table>"
    )
    assert [(seen, place) for _, seen, _, place in blocks(written(text))] == [
        ("Before.", "line 1"),
        ("1. One & two", "line 4"),
        ("Three", "line 7"),
        ("x = 1", "line 9"),
        ("a; b", "line 12"),
    ]


def test_the_line_of_raw_html_is_found_past_entities(written):
    text = "<div>\n<p>Fish &amp; chips</p>\n\n</div>\n<div>\n<p>Salt &lt; pepper</p>\n</div>\n"
    found = [(text, locator) for _, text, _, locator in blocks(written(text))]
    assert found == [("Fish & chips", "line 2"), ("Salt < pepper", "line 6")]


def test_texts_that_are_not_found_again_are_not_looked_for_without_end(written):
    def read(count: int) -> None:
        text = "<div>\n" + "<p>a<b>b</b></p>\n" * count + "</div>\n"  # "ab" stands nowhere
        assert len(blocks(written(text))) == count

    assert_linear(read, 10_000)


def test_raw_html_is_read_as_html(written):
    text = (
        "Before.\n\n<table><tr><th>Key</th><td>12</td></tr></table>\n\n<!-- no -->\n\n<style>p {}</style>\n"
    )
    assert blocks(written(text)) == [
        ("paragraph", "Before.", (), "line 1"),
        ("field", "Key: 12", (), "line 3"),
    ]


@pytest.mark.parametrize("suffix", [".md", ".markdown", ".mdx", ".MD"])
def test_every_suffix_of_markdown_is_read(written, suffix):
    assert texts(written("*a*", f"n{suffix}")) == ["a"]


@pytest.mark.parametrize("text", ["", "---\ntitle: x\n---\n", "<!-- only -->\n", "![](x.png)"])
def test_a_file_that_shows_no_text_is_a_sentence(written, text):
    assert only_problem(written(text)) == Malformed(
        "the-file.md:1", "The file holds no text; leave it out, or put text into it."
    )


def test_a_file_that_is_too_long_to_parse_is_a_sentence(written):
    problem = only_problem(written("a b\n" * 1_300_000)).problem
    assert problem == "The file has 5,200,000 characters, and 5,000,000 are the most for Markdown; split it."


@pytest.mark.parametrize("mark", [">", "> ", "- ", "1. ", "[^a]: "])
def test_deep_nesting_is_refused_with_a_sentence_and_not_cut(written, mark):
    assert "deep" in only_document(written(mark * 20 + "deep")).text
    problem = only_problem(written(mark * 5_000 + "deep")).problem
    assert problem == "The file nests lists or quotations too deeply; make it flatter."


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (lambda n: "# a" + " " * n + "#", 1_000_000),
        (lambda n: "a" + " " * n + "b", 1_000_000),
        (lambda n: "{% comment %}" * n, 15_000),
        (lambda n: "{/*" * n, 40_000),
        (lambda n: "[^" * n + "{%", 10_000),
        (lambda n: "[^a]: b\n" * n, 10_000),
        (lambda n: "<table>\n" + "\n<tr>\n" * n, 10_000),
        (lambda n: ":::{a}\n" * n, 20_000),
        (lambda n: '!!! a "b" ' * n, 100_000),
        (lambda n: "\n".join(" " * 4 * depth + "??? a" for depth in range(isqrt(n))), 250_000),
        (lambda n: "`{% comment %} " * n + "{% endcomment %}\n\n" * n, 5_000),
        (lambda n: "[a][" * n, 20_000),
        (lambda n: "[a][b]" * n, 20_000),
        (lambda n: "`a`{ .b" + " .b" * n, 100_000),
        (lambda n: "<div markdown" + " markdown" * n + ">\n", 100_000),
        (lambda n: "<div markdown>\n" * n, 20_000),
        (lambda n: "::: a\n\n" * n, 20_000),
        (lambda n: "== ==\na\n\n" * n, 5_000),
        (lambda n: "+---+\n\n" * n, 20_000),
        (lambda n: "```{eval-rst}\na\n```\n" * n, 2_000),
        (lambda n: ".. _a:\n" * n, 20_000),
        (lambda n: ("`a" + " a" * 300 + " " * 300) * n, 100),
    ],
    ids=[
        "heading",
        "spaces",
        "comments",
        "mdx",
        "marks",
        "footnotes",
        "tables",
        "colons",
        "line of a box",
        "boxes",
        "code and comments",
        "half references",
        "references",
        "attributes",
        "attributes of an element",
        "elements",
        "parts",
        "tables of equals signs",
        "grids",
        "eval-rst",
        "targets",
        "half links",
    ],
)
def test_any_text_takes_time_in_proportion_to_its_length(written, text, size):
    assert_linear(lambda size: list(open_corpus(str(written(text(size))))), size)


@pytest.mark.parametrize(
    "value", ["!!timestamp x", "!!int ''", "0x" + "f" * 6_000, "!!python/object:os.system x"]
)
def test_front_matter_that_stumbles_its_parser_is_left_out(tmp_path, value):
    (tmp_path / "a.md").write_text(f"---\ntitle: T\na: {value}\n---\n# Head\n\nText.\n")
    document = only_document(tmp_path / "a.md")
    assert "Text." in document.text
    assert "a" not in document.metadata


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("01234", "01234"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("true", True),
        ("2024", 2024),
        ("-1.10", -1.1),
        ("1e3", 1000.0),
        ("2024-05-01", "2024-05-01"),
        ("[a, no, 12:30, 7]", ["a", "no", "12:30", 7]),
        ("~", None),
    ],
)
def test_a_setting_without_quotes_is_what_a_filter_takes_it_for(written, value, read):
    document = only_document(written(f"---\nk: {value}\n---\n# Head\n"))
    assert document.metadata.get("k") == read
    if isinstance(read, (str, int, float)):
        assert Filter.parse([f"k={value}"]) == Filter.by("k", read)


@pytest.mark.parametrize("title", ["No", "12:30", "007", "1.10", "2024", "true", "2024-05-01"])
def test_a_title_at_the_top_is_the_text_that_stands_there(written, title):
    assert only_document(written(f"---\ntitle: {title}\n---\n# Head\n")).title == title


def test_half_a_surrogate_pair_in_settings_is_a_sign_for_a_lost_character(written):
    path = written('---\ntitle: "A \\ud800 tower"\n"k\\udc00": "\\udfff"\ntags: ["\\ud83d"]\n---\n# Head\n')
    document = only_document(path)
    assert document.title == "A \ufffd tower"
    assert document.metadata == {"k\ufffd": "\ufffd", "tags": ["\ufffd"]}


@pytest.mark.parametrize(
    ("text", "title", "metadata"),
    [
        (
            "title: Getting started: the basics\nauthor: Jo\nyear: 2024",
            "Getting started: the basics",
            {"author": "Jo", "year": 2024},
        ),
        ('title: "A"\nauthor: @jo\n# note\ntags:\n  - x\n- y\n\nmore: |\n  z', "A", {"author": "@jo"}),
        ("title: [\nyear: 2024", "Head", {"year": 2024}),
        ("", "Head", {}),
    ],
)
def test_front_matter_that_does_not_parse_is_read_line_by_line(written, text, title, metadata):
    document = only_document(written(f"---\n{text}\n---\n# Head\n"))
    assert (document.title, document.metadata, document.text) == (title, metadata, "Head")


def test_toml_that_does_not_parse_is_read_line_by_line(written):
    document = only_document(written('+++\ntitle = "T"\nyear = 2024\nbad = \n[params]\n+++\n# Head\n'))
    assert (document.title, document.metadata, document.text) == ("T", {"year": 2024}, "Head")


@pytest.mark.parametrize(
    "text",
    [
        "\nSome text after a rule.\n\n",
        "- a\n- b\n",
        "Some text.\nkey: value\n",
        "    code\n",
        "12\n",
        "key: [\nText.\n",
    ],
)
def test_what_does_not_look_like_settings_is_text(written, text):
    document = only_document(written(f"---\n{text}\n---\n\nMore.\n"))
    assert document.metadata == {}
    assert all(word in document.text for word in [*re.findall(r"\w+", text), "More."])


@pytest.mark.parametrize("unit", ["](" + "{%%}", "`"])
def test_template_tags_take_time_in_proportion_to_the_text(written, unit):
    assert_linear(lambda n: only_document(written(f"# H\n\n{unit * n} {'x' * n} {{% y %}}\n")), 20_000)


def test_restructuredtext_in_myst_is_read_as_such(written):
    text = (
        "# Head\n\n```{eval-rst}\n.. currentmodule:: click\n```\n\n- item\n\n  ```{eval-rst}\n"
        "  .. click:example::\n\n      x = *1*\n\n  .. click:run::\n\n      invoke(x)\n  ```\n\n"
        "```{eval-rst}\n.. tabs::\n\n    .. group-tab:: Unix\n\n        Run :class:`~x.Y`.\n\n"
        ".. list-table:: Names\n    :header-rows: 1\n\n    * - Given\n      - Shown\n    * - ``-x``\n      - x\n```\n"
    )
    head = ("Head",)
    assert blocks(written(text)) == [
        ("heading", "Head", (), "line 1"),
        ("item", "item", head, "line 7"),
        ("code", "x = *1*", head, "line 12"),
        ("code", "invoke(x)", head, "line 16"),
        ("heading", "Unix", head, "line 22"),
        ("paragraph", "Run x.Y.", ("Head", "Unix"), "line 24"),
        ("paragraph", "Names", head, "line 26"),
        ("row", "Given: -x; Shown: x", head, "line 31"),
    ]


def test_tables_of_restructuredtext_have_rows(written):
    text = (
        "Text.\n\n======  ======\nName    Says\n======  ======\n`a`     *one*\n"
        "b       two\n        lines\n======  ======\n\n"
        "1. +---+-----+\n   | a | b   |\n   +===+=====+\n   | c | d e |\n   +---+-----+\n\n"
        "=== ===\nNo table\n\n+---+\nNor this\n"
    )
    assert blocks(written(text)) == [
        ("paragraph", "Text.", (), "line 1"),
        ("row", "Name: a; Says: one", (), "line 6"),
        ("row", "Name: b; Says: two lines", (), "line 7"),
        ("item", "1.", (), "line 11"),
        ("row", "a: c; b: d e", (), "line 14"),
        ("paragraph", "=== === No table", (), "line 17"),
        ("paragraph", "+---+ Nor this", (), "line 20"),
    ]


def test_restructuredtext_that_docutils_may_take_long_for_is_shown_as_it_is(written):
    assert texts(written("```{eval-rst}\n*a*\n```\n")) == ["a"]
    assert texts(written(f"```{{eval-rst}}\n*a*{' b' * 2_500}\n```\n")) == ["*a*" + " b" * 2_500]


def test_restructuredtext_that_nests_too_deeply_is_a_sentence(written):
    problem = only_problem(written(f"```{{eval-rst}}\n{'- ' * 2_000}a\n```\n")).problem
    assert problem == "The file nests too deeply; make it flatter."
