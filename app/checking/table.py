"""A report on a terminal: how many quotes of each verdict, then what is not as it should be."""

from rapidfuzz.distance import Indel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.checking.failure import Failure
from app.checking.report import Issue, Report
from app.service.check import RealText
from common.terminal_text import escaped, plain
from common.wording import counted
from quote_check.check import Verdict

LISTED = 20
"""Issues that are shown; the other formats have them all."""

_SHOWN_CHARACTERS = 400


def show_report(report: Report, console: Console) -> None:
    """Print counts and shares, then the first of what is not as it should be, what fails the run in red."""
    console.print(plain(_heading(report)))
    console.print(_table(report))
    issues = [issue for issue in report.issues() if _is_shown(issue, report)]
    issues.sort(key=lambda issue: issue.failure not in report.fail_on)
    for issue in issues[:LISTED]:
        console.print()
        _show(issue, report, console)
    if (more := len(issues) - LISTED) > 0:
        console.print()
        console.print(plain(f"... and {more:,} more; --format json has them all."))
    _show_scorer(report, console)


def _is_shown(issue: Issue, report: Report) -> bool:
    """What is short, or has no quotes, is told only where it fails the run."""
    return issue.failure in report.fail_on or issue.failure not in (Failure.TOO_SHORT, Failure.NO_QUOTES)


def _heading(report: Report) -> str:
    without = sum(not entry.response.quotes for entry in report.entries)
    beside = f", {without:,} of them without any" if without else ""
    quotes = report.verdicts.total()
    return f"{counted(quotes, 'quote')} of {counted(len(report.entries), 'answer')}{beside}"


def _table(report: Report) -> Table:
    table = Table("verdict", box=None)
    table.add_column("quotes", justify="right")
    table.add_column("share", justify="right")
    verdicts = report.verdicts

    def row(name: str, count: int) -> None:
        share = f"{100 * count / verdicts.total():.1f}%" if verdicts.total() else "-"
        table.add_row(name, f"{count:,}", share)

    misplaced = sum(issue.failure is Failure.MISPLACED for issue in report.issues())
    for verdict in Verdict:
        row(verdict.value.replace("_", " "), verdicts[verdict])
        if verdict is Verdict.VERBATIM and misplaced:
            row("  of these, not at their offsets", misplaced)
    return table


def _show(issue: Issue, report: Report, console: Console) -> None:
    number = f", quote {issue.quote.number}" if issue.quote else ""
    number = f", claim {issue.claim.number}" if issue.claim else number
    place = "" if issue.place is None else f":{issue.place.line}:{issue.place.column}"
    file = f"{issue.entry.file}{place}" if issue.entry.id is None else f"{issue.entry.name}{place}"
    heading = plain(f"{_one_line(file)}{number}: ", "bold")
    colour = "red" if issue.failure in report.fail_on else "yellow"
    console.print(heading + plain(_one_line(issue.sentence), colour), soft_wrap=True)
    if issue.quote is not None:
        cited = "".join(f"  [{_one_line(doc_id)}]" for doc_id in issue.quote.document_ids)
        quote = Text("  quote    ").append(f"“{_shortened(issue.quote.quote)}”").append(cited, style="dim")
        console.print(quote)
        _show_real("nearest", issue.quote.found, issue.quote.quote, issue.quote.likeness, console)
    if issue.claim is not None:
        console.print(Text("  claim    ").append(_shortened(issue.claim.claim)))
        _show_real("cited", issue.claim.evidence, issue.claim.claim, None, console)


def _show_real(
    name: str, found: RealText | None, quote: str, likeness: float | None, console: Console
) -> None:
    if found is None:
        return
    text = " [...] ".join(span.text for span in found.spans)
    console.print(plain(f"  {name:<9}“").append_text(_marked(text, quote)).append("”"))
    where = f"{found.document_id} [{found.spans[0].start}:{found.spans[-1].end}]"
    alike = "" if likeness is None else f", {100 * likeness:.4g}% alike"
    console.print(plain(f"           {_one_line(found.title)}, {_one_line(where)}{alike}", "dim"))


def _show_scorer(report: Report, console: Console) -> None:
    scorer = next((entry.response.scorer for entry in report.entries if entry.response.scorer), None)
    if scorer is not None and scorer.measured is not None:
        share, claims = scorer.measured.accuracy, scorer.measured.claims
        console.print()
        console.print(
            plain(
                f"Claims were judged by the scorer {scorer.name}, which judged {100 * share:.1f}% of {claims:,} "
                "held-out claims right; docs/checking.md says where it is weaker.",
                "dim",
            )
        )


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
