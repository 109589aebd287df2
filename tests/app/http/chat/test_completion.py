"""The chunks of a completion, however long its question waits."""

import asyncio
import json

import pytest

from app.answering.events import Retrieved
from app.http.chat.completion import DONE, Telling
from app.http.chat.models import ChatModel
from app.http.described.examples import ANSWER
from app.http.event_stream import STILL_THERE
from app.http.worker import BusyError
from app.service.response import AnswerResponse

ROLE = {"role": "assistant", "content": ""}
RESPONSE = AnswerResponse.model_validate(ANSWER)


async def frames_of(happening, keep_alive_s: float) -> list[str]:
    telling = Telling(ChatModel.PLAIN, lambda _: "at")
    return [frame async for frame in telling.chunks(happening, keep_alive_s=keep_alive_s)]


def deltas_of(frames: list[str]) -> list[dict]:
    chunks = [
        json.loads(frame.removeprefix("data: ")) for frame in frames if frame not in (STILL_THERE, DONE)
    ]
    return [chunk["choices"][0]["delta"] for chunk in chunks]


async def waiting(seconds: float, *happens):
    """What happens to a question that waits first."""
    await asyncio.sleep(seconds)
    for each in happens:
        if isinstance(each, Exception):
            raise each
        yield each


@pytest.mark.parametrize("happens", [(Retrieved(()), RESPONSE), (RESPONSE,)], ids=["stages", "at once"])
@pytest.mark.parametrize(("seconds", "keep_alive_s"), [(0, 10), (0.2, 0.02)], ids=["at once", "late"])
async def test_who_speaks_is_told_once_and_before_the_text(happens, seconds, keep_alive_s):
    frames = await frames_of(waiting(seconds, *happens), keep_alive_s)
    assert (frames[0] == STILL_THERE) is (seconds > keep_alive_s)
    first, second, *rest = deltas_of(frames)
    assert (first, second) == (ROLE, {"content": ANSWER["answer"]})
    assert all("role" not in delta for delta in rest)
    assert frames[-1] == DONE


async def test_what_goes_wrong_is_raised_before_the_first_frame_and_told_after_it():
    with pytest.raises(BusyError):
        await frames_of(waiting(0, BusyError("Full.")), 10)
    *comments, told, done = await frames_of(waiting(0.2, BusyError("Full.")), 0.02)
    assert set(comments) == {STILL_THERE}
    assert json.loads(told.removeprefix("data: "))["error"]["code"] == "busy"
    assert done == DONE
