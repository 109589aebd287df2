"""An audit on a terminal: how many quotes of each verdict, then those that are not where they claim to be."""

from rapidfuzz.distance import Indel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.terminal_text import escaped, plain
from common.wording import counted
from quote_check.audit import Audit, rounded_down
from quote_check.check import Finding, Verdict

_NAMES = {
    Verdict.VERBATIM: "verbatim",
    Verdict.NEARLY: "nearly",
    Verdict.ANOTHER_DOCUMENT: "from another document",
    Verdict.FABRICATED: "fabricated",
}
_SHOWN_CHARACTERS = 400


def show_audit(audit: Audit, console: Console) -> None:
    """Print counts and shares, then the first of the quotes that are not verbatim where they claim to stand."""
    console.print(plain(_heading(audit)))
    console.print(_table(audit))
    for finding in audit.listed:
        console.print()
        _show(finding, console)
    if (more := audit.unsound - len(audit.listed)) > 0:
        console.print()
        console.print(plain(f"... and {more:,} more; --out FILE writes them all."))


def _heading(audit: Audit) -> str:
    without = f", {audit.without_quotes:,} of them without any" if audit.without_quotes else ""
    return f"{counted(audit.quotes, 'quote')} of {counted(audit.answers, 'answer')}{without}"


def _table(audit: Audit) -> Table:
    table = Table("verdict", box=None)
    table.add_column("quotes", justify="right")
    table.add_column("share", justify="right")

    def row(name: str, count: int) -> None:
        share = f"{100 * count / audit.quotes:.1f}%" if audit.quotes else "-"
        table.add_row(name, f"{count:,}", share)

    for verdict, name in _NAMES.items():
        row(name, audit.verdicts[verdict])
        if verdict is Verdict.VERBATIM and audit.misplaced:
            row("  of these, not at their offsets", audit.misplaced)
    if audit.unknown_documents:
        row("name a document that is not in the index", audit.unknown_documents)
    return table


def _show(finding: Finding, console: Console) -> None:
    quote, nearest = finding.quote, finding.nearest
    heading = plain(f"{_one_line(quote.answer_id)}, quote {quote.number}: ", "bold")
    verdict = plain(_NAMES[finding.verdict], "yellow" if finding.verdict is Verdict.NEARLY else "red")
    console.print(heading + verdict + plain(f" - {_one_line(finding.reason)}", "not bold"))
    named = f"  [{_one_line(quote.document_id)}]" if quote.document_id else ""
    console.print(Text("  quote    ").append(f"“{_shortened(quote.text)}”").append(named, style="dim"))
    if nearest is not None:
        console.print(Text("  nearest  “").append_text(_marked(nearest.text, quote.text)).append("”"))
        where = f"{nearest.doc_id} [{nearest.span.start}:{nearest.span.end}]"
        alike = f"{100 * rounded_down(nearest.similarity):.4g}% alike"
        console.print(plain(f"           {_one_line(nearest.title)}, {_one_line(where)}, {alike}", "dim"))


def _marked(text: str, quote: str) -> Text:
    """The text with the words that the quote does not have in this order in bold."""
    words, quoted = _shortened(text).split(), _one_line(quote).split()
    kept = {
        number
        for same in Indel.opcodes(words, quoted)
        if same.tag == "equal"
        for number in range(same.src_start, same.src_end)
    }
    parts = [plain(word, "" if number in kept else "bold") for number, word in enumerate(words)]
    return Text(" ").join(parts)


def _shortened(text: str) -> str:
    line = _one_line(text)
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS].rstrip()} (...)"


def _one_line(text: str) -> str:
    """White space runs as one space each, and nothing that a terminal would obey: only for showing."""
    return escaped(" ".join(text.split()))
