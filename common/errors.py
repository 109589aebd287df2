"""The one exception family: every message is a sentence that says what was wrong and what would be right."""


class LoccitError(Exception):
    """Something the user can mend. The command line prints it; HTTP maps it to a status in one place."""


class CorpusError(LoccitError):
    """A corpus cannot be read as asked: missing, malformed under ``--strict``, or with duplicate ids."""


class IndexUnusableError(LoccitError):
    """An index cannot be opened: missing, damaged, made with another encoder, or of another format version."""


class IndexBusyError(LoccitError):
    """Another writer changes the index just now."""


class IndexNotWritableError(LoccitError):
    """The folder of an index cannot be written to: by this user, or at all."""


class ChangeRefusedError(LoccitError):
    """A change that the index cannot take: it stays as it is."""


class ModelUnusableError(LoccitError):
    """A model cannot be loaded: not installed, not where the path points, or with another sha256."""


class InvalidRequestError(LoccitError):
    """A question or an option is outside what the service accepts."""


class DocumentNotFoundError(LoccitError):
    """No document has this id in this index."""


class DeadlineExceededError(LoccitError):
    """The time allowed for an answer ran out before there was one."""


class GivenUpError(LoccitError):
    """Whoever waited for an answer has gone, so the work on it ended."""


class LanguageModelServerError(LoccitError):
    """The server of the owner's language model cannot be reached, refuses, or sends what cannot be read."""
