"""A language model behind a server that speaks OpenAI's protocol: messages go out, texts come back, all bounded.

Neither the server's address nor its key is in any sentence, log line or representation made here.
"""

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import httpx

from app.answering.language_models.server_faults import (
    CUT_OFF,
    UNREADABLE,
    may_refuse_form,
    sentence_for_status,
    sentence_for_transport,
)
from common.deadline import Deadline
from common.errors import DeadlineExceededError, InvalidRequestError, LanguageModelServerError
from common.turn import aside

MOST_BYTES = 1 << 20
"""Of one answer: a model that writes on and on is stopped there."""
CONNECT_S = 5.0
PROBE_S = 2.0
_AT_ONCE = 4  # requests on their way to the server
_LOOK_S = 0.05  # between two looks whether the work was given up
_LAST_PORT = 65_535
_TIDY_S = 0.5  # for what is abandoned to close its connection
_LOG = logging.getLogger(__name__)

Message = Mapping[str, str]
Result = TypeVar("Result")


class OpenAIServer:
    """The server's model of this name.

    ``url``: the base address, such as ``http://127.0.0.1:11434/v1``. ``key``: sent as a bearer token. ``request``:
    further fields of every request, which replace those that are sent otherwise; one that is None is left out.
    ``seconds``: for an answer, at most.

    Raises:
        InvalidRequestError: when address or key cannot be one.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        key: str | None = None,
        request: Mapping[str, Any] | None = None,
        seconds: float = 30.0,
    ) -> None:
        self.name = name
        self._url, self._secure = _checked(url)
        self._headers = {"Accept-Encoding": "identity", **_authorization(key)}
        self._request, self._seconds = dict(request or {}), seconds
        self._way = 0
        """The first of the ways to ask that the server is not known to refuse."""
        self._accepted = False
        """Whether it is known to accept one, so that a failure has another reason."""
        for logger in ("httpx", "httpcore"):  # they would log the address
            logging.getLogger(logger).setLevel(logging.WARNING)

    def __repr__(self) -> str:
        return f"OpenAIServer(name={self.name!r})"

    def texts(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        max_tokens: int,
        temperatures: Sequence[float],
        seed: int,
        deadline: Deadline,
    ) -> list[str]:
        """What the model wrote: a text for each temperature whose answer came in time.

        ``schema``: of the JSON that is wanted; a server that holds none is asked again without it. One that refuses
        that, too, gets the system's message as the beginning of the user's: templates such as Gemma's know no system.
        Whatever comes is unchecked text. Others have their turn while this waits (see ``common.turn``). The deadline
        holds to a tenth of a second, also while a byte at a time arrives.

        Raises:
            LanguageModelServerError: when nothing came and the server is at fault.
            DeadlineExceededError, GivenUpError: when nothing came by the deadline.
        """
        bodies = [
            {
                "model": self.name,
                "messages": list(messages),
                "max_tokens": max_tokens,
                "temperature": temperature,
                "seed": seed + number,
                "stream": False,
            }
            for number, temperature in enumerate(temperatures)
        ]
        with aside():
            outcomes = _run(self._outcomes(bodies, _forms(schema), deadline))
        texts = [outcome for outcome in outcomes if isinstance(outcome, str)]
        faults = [outcome for outcome in outcomes if isinstance(outcome, LanguageModelServerError)]
        if not texts:
            self._raise_for_nothing(faults, deadline)
        for fault in faults:
            _LOG.warning("%s", fault)
        return texts

    async def complaint(self, *, seconds: float = PROBE_S) -> str | None:
        """What keeps the server from answering just now, as a sentence; None where nothing is known to."""
        try:
            async with (
                asyncio.timeout(seconds),
                self._client() as client,
                client.stream("GET", f"{self._url}/models") as response,
            ):
                status = response.status_code
        except TimeoutError:
            return f"The server of the language model {self.name} did not answer within {seconds:g} seconds."
        except Exception as error:  # what a library raises for an odd address or answer is told, too
            return sentence_for_transport(self.name, error)
        # a server need not list its models
        return sentence_for_status(self.name, status) if status in (401, 403) or status >= 500 else None

    def _raise_for_nothing(self, faults: Sequence[LanguageModelServerError], deadline: Deadline) -> None:
        if deadline.given_up:
            deadline.check("generate")
        if faults:
            raise faults[0]
        if deadline.over:
            raise DeadlineExceededError(
                f"The server of the language model {self.name} had not answered when the time allowed ran out; allow "
                "more time, or serve a faster model."
            )
        raise LanguageModelServerError(
            f"The server of the language model {self.name} did not answer within {self._seconds:g} seconds; allow more "
            "with LOCCIT_TIMEOUT_S, or serve a faster model."
        )

    async def _outcomes(
        self,
        bodies: Sequence[Mapping[str, Any]],
        forms: Sequence[Mapping[str, Any]],
        deadline: Deadline,
    ) -> list[str | BaseException | None]:
        """For each body a text, what went wrong, or None where the time ran out before."""
        free = asyncio.Semaphore(_AT_ONCE)
        async with self._client() as client:

            async def text(body: Mapping[str, Any]) -> str:
                async with free:
                    return await self._text(client, body, forms)

            asked = [asyncio.create_task(text(body)) for body in bodies]
            ending = asyncio.create_task(_until(deadline, self._seconds))
            answered = asyncio.gather(*asked, return_exceptions=True)
            await asyncio.wait((answered, ending), return_when=asyncio.FIRST_COMPLETED)
            outcomes = [_outcome(task) for task in asked]
            for task in (*asked, ending):
                task.cancel()
            await asyncio.wait((*asked, ending), timeout=_TIDY_S)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, LanguageModelServerError):
                raise outcome
        return outcomes

    async def _text(
        self, client: httpx.AsyncClient, body: Mapping[str, Any], forms: Sequence[Mapping[str, Any]]
    ) -> str:
        """The model's text, asked for in the first way that the server does not refuse."""
        ways = _ways(body["messages"], ({},) if "response_format" in self._request else forms)
        for number in range(self._way, len(ways)):
            fields = {**body, **ways[number], **self._request}
            asked = {field: value for field, value in fields.items() if value is not None}
            status, raw = await self._sent(client, asked)
            if may_refuse_form(status, accepted=self._accepted) and number + 1 < len(ways):
                continue
            if status != 200:
                raise LanguageModelServerError(sentence_for_status(self.name, status))
            self._way, self._accepted = number, True
            return self._content(raw)
        raise AssertionError("the last way is not passed over")

    async def _sent(self, client: httpx.AsyncClient, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """The status, and the bytes of a proper answer; those of an error are not read."""
        try:
            async with client.stream("POST", f"{self._url}/chat/completions", json=dict(body)) as response:
                if response.status_code != 200:
                    return response.status_code, b""
                return response.status_code, await self._read(response)
        except LanguageModelServerError:
            raise
        except Exception as error:  # what a library raises for an odd address or answer is told, too
            raise LanguageModelServerError(sentence_for_transport(self.name, error)) from None

    async def _read(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise LanguageModelServerError(UNREADABLE.format(name=self.name))
        read = bytearray()
        async for piece in response.aiter_raw():
            read += piece
            if len(read) > MOST_BYTES:
                raise LanguageModelServerError(
                    f"The server of the language model {self.name} sent more than {MOST_BYTES:,} bytes and was cut "
                    "off; see whether what it serves is a chat model."
                )
        return bytes(read)

    def _content(self, raw: bytes) -> str:
        """The text of the first choice; nothing where the model wrote none."""
        try:
            choice = json.loads(raw.decode("utf-8"))["choices"][0]
            content = choice["message"]["content"]
            if isinstance(content, list):
                content = "".join(part["text"] for part in content if part.get("type") == "text")
            content = "" if content is None else content
            if not isinstance(content, str):
                raise TypeError
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise LanguageModelServerError(UNREADABLE.format(name=self.name)) from None
        if choice.get("finish_reason") == "length":
            _LOG.warning(CUT_OFF, self.name)
        return content

    def _client(self) -> httpx.AsyncClient:
        """For one question. It asks no proxy, and follows no redirection, with what is private."""
        return httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(self._seconds, connect=min(CONNECT_S, self._seconds)),
            verify=self._secure,
            trust_env=False,
        )


def _checked(url: str) -> tuple[str, ssl.SSLContext]:
    """The address without a slash at its end, and what certificates are checked by."""
    try:
        parsed = httpx.URL(url)
        bad = not parsed.host or not parsed.raw_host.decode().encode("idna")
    except (httpx.InvalidURL, UnicodeError):  # the latter where no name of a host can be so
        parsed, bad = httpx.URL(""), True
    bad = bad or (parsed.port is not None and not 0 < parsed.port <= _LAST_PORT)
    if bad or parsed.scheme not in ("http", "https") or parsed.query or parsed.fragment:
        raise InvalidRequestError(
            "The language model's address is none of a server; give its base, such as http://127.0.0.1:11434/v1."
        )
    if parsed.userinfo:
        raise InvalidRequestError(
            "The language model's address holds a name or a password; give a key in LOCCIT_LANGUAGE_MODEL_KEY instead."
        )
    # over plain HTTP none is needed, and reading the system's takes a moment
    secure = parsed.scheme == "https"
    return url.rstrip("/"), ssl.create_default_context() if secure else ssl.SSLContext(
        ssl.PROTOCOL_TLS_CLIENT
    )


def _authorization(key: str | None) -> dict[str, str]:
    key = (key or "").strip()
    if not key:
        return {}
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidRequestError(
            "The key in LOCCIT_LANGUAGE_MODEL_KEY holds characters that no key has; copy it again."
        )
    return {"Authorization": f"Bearer {key}"}


def _forms(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """How JSON of this schema is asked for: as OpenAI, vLLM and Ollama do, as llama-cpp-python does, by words alone."""
    named = {"name": "claims", "strict": True, "schema": schema}
    return (
        {"response_format": {"type": "json_schema", "json_schema": named}},
        {"response_format": {"type": "json_object", "schema": schema}},
        {},
    )


def _ways(messages: Sequence[Message], forms: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The fields of a request for each way to ask, in the order in which they are tried."""
    conversations = [messages]
    if messages[0]["role"] == "system":
        system, first, *others = messages
        together = {**first, "content": f"{system['content']}\n\n{first['content']}"}
        conversations.append([together, *others])
    return [{"messages": list(each), **form} for each in conversations for form in forms]


def _outcome(task: "asyncio.Task[str]") -> str | BaseException | None:
    if not task.done() or task.cancelled():
        return None
    return task.exception() or task.result()


async def _until(deadline: Deadline, seconds: float) -> None:
    """Returns when the deadline is over, at the latest after so many seconds."""
    last = time.monotonic() + seconds
    while not deadline.over and (left := last - time.monotonic()) > 0:
        await asyncio.sleep(min(_LOOK_S, left, max(deadline.remaining_s, 0.001)))


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """What the work returns. Its loop is closed without waiting for names that are still being looked up."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
