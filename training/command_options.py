"""Options that several commands of `loccit train` take."""

from pathlib import Path
from typing import Annotated

import typer

from app.service.settings import LANGUAGE_MODEL_CHOICES

PREPARED = Path("data/training")
PreparedFolder = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of the prepared data.")]
OutFolder = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for checkpoint, log and weights.")
]
LanguageModel = Annotated[str, typer.Option(help=LANGUAGE_MODEL_CHOICES)]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")]
Hours = Annotated[float | None, typer.Option(min=0, help="Stop after so long, to be gone on with later.")]
PassageSeed = Annotated[int, typer.Option(min=0, help="Of the order and the choice of passages.")]
