"""What is said when the server of a language model fails: a sentence that names the model, never the address."""

import httpx

UNREADABLE = (
    "The server of the language model {name} sent something that is no chat completion; see whether its address ends "
    "where its OpenAI protocol begins, such as in /v1."
)

CUT_OFF = (
    "The language model %s was cut off when it had written all the tokens that it may; keep it from thinking aloud, or "
    "raise max_tokens, with LOCCIT_LANGUAGE_MODEL_REQUEST."
)

_BY_STATUS = {
    400: "refused the request; it may hold less text than is sent: lower LOCCIT_PASSAGES_SHOWN or "
    "LOCCIT_EVIDENCE_TOKENS",
    401: "wants another key; give it in LOCCIT_LANGUAGE_MODEL_KEY",
    403: "does not allow this key to ask; give another in LOCCIT_LANGUAGE_MODEL_KEY",
    404: "has no such model, or its address is not the base of an OpenAI protocol; see --model-name, and whether the "
    "address ends in /v1",
    413: "refused the request as too large: lower LOCCIT_PASSAGES_SHOWN or LOCCIT_EVIDENCE_TOKENS",
    422: "refused the request; see what LOCCIT_LANGUAGE_MODEL_REQUEST adds to it",
    429: "was asked too often; try again later",
    503: "is not ready; try again in a few seconds",
}
_REFUSALS_OF_A_FORM = frozenset({400, 415, 422, 501})


def may_refuse_form(status: int, *, accepted: bool) -> bool:
    """Whether the same request may succeed when it asks for another form of the answer, or for none.

    ``accepted``: it has been accepted in this form before. llama-cpp-python's server fails (500) over one that it does
    not know.
    """
    return status in _REFUSALS_OF_A_FORM or (status == 500 and not accepted)


def sentence_for_status(name: str, status: int) -> str:
    """Why an answer with this status is none, and what to do."""
    if status in _BY_STATUS:
        what = _BY_STATUS[status]
    elif status >= 500:
        what = "failed; its own log says why"
    elif 300 <= status < 400:
        what = "sends elsewhere, which is not followed; give the address that it sends to"
    else:
        what = "refused the request; its own log says why"
    return f"The server of the language model {name} {what} (status {status})."


def sentence_for_transport(name: str, error: Exception) -> str:
    """What went wrong between here and there; what is not of the transport kept the request from leaving."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"The certificate of the language model {name}'s server is not trusted here; name the authority that "
            "signed it in SSL_CERT_FILE."
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) or not isinstance(error, httpx.HTTPError):
        return (
            f"The server of the language model {name} cannot be reached; see whether it runs and --language-model is "
            "its address."
        )
    return f"The server of the language model {name} broke off before its answer was whole; its own log says why."
