"""The `loccit` command: puts the parts together and turns errors into sentences."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from app.answering.question import checked_question
from app.settings import DEFAULT_INDEX, GeneratorKind, Settings
from index_builder.cli import cli as index_cli
from retriever.errors import InvalidRequestError, LoccitError
from retriever.types import RetrievalMode

cli = typer.Typer(
    help="Loccit answers questions from your documents and quotes them word for word.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.add_typer(index_cli, name="index")

IndexOption = Annotated[
    Path, typer.Option("--index", metavar="DIR", envvar="LOCCIT_INDEX", help="Folder of the index.")
]
TopK = Annotated[int | None, typer.Option("--top-k", "-k", help="Passages to retrieve.")]
MinConfidence = Annotated[
    float | None, typer.Option(help="Abstain below this confidence, 0 to 1; 0 never abstains for it.")
]
LanguageModelOption = Annotated[
    str | None,
    typer.Option(
        help="gemma-3-270m, smollm2-135m, a .gguf file of Gemma 3 or SmolLM2, or a causal LM by folder or hub name."
    ),
]
GeneratorOption = Annotated[
    GeneratorKind | None, typer.Option(help="Who writes answers; reader needs no language model.")
]
RetrievalOption = Annotated[RetrievalMode | None, typer.Option("--retrieval", help="Which search is used.")]
AllowDownload = Annotated[
    bool | None, typer.Option("--allow-download", help="Fetch models from the hub when they are not here.")
]

_LISTED = 5  # passages that search lists, unless top_k is set
_IN_PROCESS = ("index", "retrieval", "generator", "language_model", "allow_download")


@cli.command()
def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    index: IndexOption = DEFAULT_INDEX,
    top_k: TopK = None,
    retrieval: RetrievalOption = None,
) -> None:
    """List the passages that retrieval finds, best first; no answer is written.

    Example: loccit search 'longest river of Asia' -k 3
    """
    from app.answering.serialise import hit_as_json
    from app.assembly import open_retriever
    from app.response import attribution_as_json
    from app.terminal import show_hits
    from app.wire import Attribution, Hit
    from retriever.index import read_manifest

    question = checked_question(question)
    settings = Settings.of(index=index, top_k=top_k, retrieval=retrieval)
    k = settings.top_k if "top_k" in settings.model_fields_set else _LISTED
    hits = open_retriever(settings).retrieve(question, k=k)
    show_hits(
        [Hit(**hit_as_json(hit)) for hit in hits],
        [Attribution(**terms) for terms in attribution_as_json(read_manifest(settings.index))],
        Console(),
    )


@cli.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    index: IndexOption = DEFAULT_INDEX,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Ask a running server instead of loading the models here."),
    ] = None,
    top_k: TopK = None,
    min_confidence: MinConfidence = None,
    retrieval: RetrievalOption = None,
    generator: GeneratorOption = None,
    language_model: LanguageModelOption = None,
    allow_download: AllowDownload = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the response as POST /answer gives it.")
    ] = False,
) -> None:
    """Answer one question, with the quote that backs it.

    Example: loccit ask 'who designed the eiffel tower'

    Example: loccit ask 'who designed the eiffel tower' --server http://127.0.0.1:8000 --json
    """
    from app.ask import Ask
    from app.terminal import show_answer
    from app.wire import AnswerResponse

    asked = Ask(checked_question(question), top_k, min_confidence)
    if server is not None:
        _refuse_options_of_the_server(context)
        from app.remote import ask_server

        response = ask_server(server, asked)
    else:
        from app.ask import answered
        from app.assembly import open_service
        from app.response import response_as_json

        settings = Settings.of(
            index=index,
            top_k=top_k,
            min_confidence=min_confidence,
            retrieval=retrieval,
            generator=generator,
            language_model=language_model,
            allow_download=allow_download,
        )
        service = open_service(settings)
        response = response_as_json(answered(service, asked), asked, service)
    if as_json:
        print(json.dumps(response, ensure_ascii=False, indent=2))  # noqa: T201 - for pipes, not for eyes
    else:
        show_answer(AnswerResponse.model_validate(response), Console())


def _refuse_options_of_the_server(context: typer.Context) -> None:
    sources = {name: context.get_parameter_source(name) for name in _IN_PROCESS}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise InvalidRequestError(
            f"The options {options} do not count with --server, which answers as it was started; leave them out, "
            "or leave out --server."
        )


@cli.command()
def serve(
    index: IndexOption = DEFAULT_INDEX,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    top_k: TopK = None,
    min_confidence: MinConfidence = None,
    retrieval: RetrievalOption = None,
    generator: GeneratorOption = None,
    language_model: LanguageModelOption = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; all cores unless given.")] = None,
    allow_download: AllowDownload = None,
) -> None:
    """Serve POST /answer and GET /documents over HTTP; every setting also comes from LOCCIT_... variables.

    Example: loccit serve --index data/indexes/vital-articles --port 8000
    """
    from app.http.server import run_server

    settings = Settings.of(
        index=index,
        top_k=top_k,
        min_confidence=min_confidence,
        retrieval=retrieval,
        generator=generator,
        language_model=language_model,
        threads=threads,
        allow_download=allow_download,
    )
    run_server(settings, host=host, port=port)


evaluate_cli = typer.Typer(help="Measure answers, quotes and abstention.", no_args_is_help=True)
cli.add_typer(evaluate_cli, name="evaluate")


@evaluate_cli.command("predict")
def evaluate_predict(
    questions: Annotated[
        str, typer.Argument(metavar="QUESTIONS", help="own (the 150 that come with Loccit), or a JSONL file.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the predictions.")],
    index: IndexOption = DEFAULT_INDEX,
    top_k: TopK = None,
    retrieval: RetrievalOption = None,
    generator: GeneratorOption = None,
    language_model: LanguageModelOption = None,
    allow_download: AllowDownload = None,
) -> None:
    """Answer every question once and keep the traces; an interrupted run is continued.

    Example: loccit evaluate predict own --out runs/own
    """
    from app.assembly import open_service
    from evaluation.predict import predict
    from evaluation.questions import load_questions

    settings = Settings.of(
        index=index,
        top_k=top_k,
        retrieval=retrieval,
        generator=generator,
        language_model=language_model,
        allow_download=allow_download,
    )
    loaded = load_questions(questions)
    service = open_service(settings)
    predict(loaded, service.pipeline, service.description(settings), out, Console(stderr=True))


@evaluate_cli.command("score")
def evaluate_score(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that predict wrote.")],
    min_confidence: MinConfidence = None,
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Also show what each threshold would give.")
    ] = False,
) -> None:
    """Turn a run's predictions into figures; loads no model. Also writes RUN/report.json.

    Example: loccit evaluate score runs/own --thresholds
    """
    from evaluation.report import show, show_thresholds
    from evaluation.score import score

    report = score(run, min_confidence=Settings.of(min_confidence=min_confidence).min_confidence)
    show(report, Console())
    if thresholds:
        show_thresholds(report, Console())


def main() -> None:
    """The console script: what can be mended becomes one sentence on standard error and exit status 1."""
    # Before torch is loaded: its threads meet thousands of times an answer, and one that spins for long keeps
    # the other from the core. docs/decisions/0007-threads-spin-briefly.md
    os.environ.setdefault("GOMP_SPINCOUNT", "6000")
    try:
        cli()
    except LoccitError as error:
        _fail(str(error))
    except OSError as error:
        if error.filename is None:
            _fail(str(error))
        _fail(f"{error.filename}: {error.strerror}; give a path that can be read and written.")


def _fail(sentence: str) -> NoReturn:
    Console(stderr=True).print(Text(sentence, style="red"), soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
