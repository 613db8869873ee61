"""One request on the wire, from its reading to its last byte, with whatever misbehaviour it asked for."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from ditto.sim.allowances import Allowance
from ditto.sim.answering import answered
from ditto.sim.asked import Asked, Fault, Refused, decoded, digest
from ditto.sim.casting import Cast, Role
from ditto.sim.catalog import Behaviour, acting
from ditto.sim.counts import Counts, Ending, Seen
from ditto.sim.dialects import Dialect, encoded
from ditto.sim.replies import Reply, estimated

_ALLOWANCES = 10_000
_PIECE = 16
_NO_STATUS = 599
_GARBAGE = b'\x00\xff<<< this is {"not": JSON, at all \xfe\n'
_HTML = b"<!DOCTYPE html><html><head><title>%d</title></head><body><h1>The page of a proxy, no model</h1></body></html>"
_FLOOD = b"and so on " * 6_553
_MEANT: dict[int, str] = {
    400: "The request was refused.",
    401: "Incorrect API key provided.",
    403: "Your key may not use this model.",
    404: "There is no such model.",
    408: "The request timed out.",
    413: "The request is too large.",
    429: "Rate limit reached. Please try again later.",
    500: "The server had an error while processing your request.",
    502: "Bad gateway.",
    503: "The engine is currently overloaded, please try again later.",
    504: "The gateway timed out.",
    529: "Overloaded",
}


@dataclass(slots=True)
class Stage:
    """Answers the requests of all dialects.

    Attributes:
        key: The only right API key; None: any will do.
        clock: Returns seconds that only go up.
    """

    cast: Cast
    counts: Counts
    key: str | None = None
    clock: Callable[[], float] = time.monotonic
    _number: int = field(default=0)
    _allowances: dict[str, Allowance] = field(default_factory=dict)

    async def perform(self, request: web.Request, dialect: Dialect, named: str = "") -> web.StreamResponse:
        """Returns the response to a request, after it has been counted.

        Args:
            named: The model in the request's path, or blank.
        """
        self._number += 1
        number = self._number
        asked, refused = await self._read(request, dialect, named)
        seen = self._counted(request, asked, named)
        ending, status = Ending.ABORTED, 0
        try:
            try:
                if asked is None:
                    raise refused or Refused(Fault.BAD_REQUEST, "The request could not be read.")
                scene = self._scene(request, dialect, asked, seen.attempt, number)
                response = await scene.played()
                ending = scene.ending
            except Refused as error:
                response = _error(dialect, error, number)
                ending = Ending.FAILED
            status = 0 if ending is Ending.ABORTED or response.status == _NO_STATUS else response.status
            return response
        finally:
            self.counts.end(seen, ending, status)

    def _counted(self, request: web.Request, asked: Asked | None, named: str) -> Seen:
        call = request.headers.get("x-ditto-call", "")[:200]
        if asked is None:
            return self.counts.begin(named[:200], "", call=call, variant="")
        variant = digest(asked.prompt, request.headers.get("x-sim", ""), asked.behaviours)
        return self.counts.begin(asked.model[:200], digest(asked.prompt), call=call, variant=variant)

    async def _read(self, request: web.Request, dialect: Dialect, named: str) -> tuple[Asked | None, Refused | None]:
        try:
            raw = await request.read()
            dialect.authorize(request.headers, self.key)
            return dialect.read(decoded(raw), request.headers, named), None
        except web.HTTPRequestEntityTooLarge:
            return None, Refused(Fault.TOO_LARGE, "The body of the request is too large.")
        except Refused as error:
            return None, error

    def _scene(self, request: web.Request, dialect: Dialect, asked: Asked, attempt: int, number: int) -> Scene:
        role = self.cast.role(asked, request.headers.get("x-sim", ""))
        acts = acting(role.behaviours, attempt)
        self._check_allowance(asked.model, acts)
        pause_s = self.cast.pause_s(role, acts.get("slow"), digest(asked.model, asked.prompt, str(asked.seed)))
        return Scene(
            request=request, dialect=dialect, asked=asked, role=role, acts=acts, pause_s=pause_s, number=number
        )

    def _check_allowance(self, model: str, acts: Mapping[str, Behaviour]) -> None:
        """Refuses what is more than the model takes."""
        rate = acts["allow"].amount if "allow" in acts else 0.0
        if not rate:
            return
        closes_s = acts["retry-after"].amount if "retry-after" in acts else 1.0
        while len(self._allowances) >= _ALLOWANCES and model not in self._allowances:
            del self._allowances[next(iter(self._allowances))]
        allowance = self._allowances.setdefault(model, Allowance(rate, closes_s))
        refused_s = allowance.refused_s(self.clock())
        if refused_s is not None:
            raise Refused(Fault.STATUS, _MEANT[429], status=429, retry_after_s=refused_s)


@dataclass(slots=True)
class Scene:
    """One request to one model.

    Attributes:
        acts: The behaviours that act on it, by name.
        ending: How it ended, once it was played.
    """

    request: web.Request
    dialect: Dialect
    asked: Asked
    role: Role
    acts: Mapping[str, Behaviour]
    pause_s: float
    number: int
    ending: Ending = Ending.FAILED

    async def played(self) -> web.StreamResponse:
        """Returns the response, sent already where it was streamed.

        Raises:
            Refused: It is to be an error.
        """
        acts = self.acts
        if "dead" in acts:
            return self._broken(web.Response(status=_NO_STATUS))
        if "hang" in acts:
            await asyncio.Event().wait()
        failing = _failure(acts, self.asked)
        if failing is None or "slow" in acts:
            await asyncio.sleep(self.pause_s)
        if failing is not None:
            raise failing
        if "html" in acts:
            status = int(acts["html"].amount)
            return web.Response(status=status, body=_HTML % status, content_type="text/html")
        if "garbage" in acts:
            return web.Response(body=_GARBAGE, content_type="application/json")
        return await self._replied()

    async def _replied(self) -> web.StreamResponse:
        acts, asked = self.acts, self.asked
        reply = answered(asked, self.role.persona, acts, self.role.recorded)
        if "endless" in acts or "reset" in acts:
            return await self._unfinished(reply)
        if asked.stream:
            return await self._streamed(self._frames(reply), "text/event-stream")
        body = encoded(self.dialect.reply(asked, reply, self.number))
        if "drip" in acts:
            pieces = (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
            return await self._streamed(_async(pieces), "application/json")
        self.ending = Ending.ANSWERED
        return web.Response(body=body, content_type="application/json", headers=self._headers())

    async def _frames(self, reply: Reply) -> AsyncIterator[bytes]:
        for frame in self.dialect.events(self.asked, reply, self.number):
            yield frame

    async def _streamed(self, pieces: AsyncIterator[bytes], content_type: str) -> web.StreamResponse:
        pause_s = self.acts["drip"].amount if "drip" in self.acts else 0.0
        response = await self._opened(content_type)
        self.ending = Ending.ABORTED
        try:
            async for piece in pieces:
                await response.write(piece)
                await asyncio.sleep(pause_s)
            await response.write_eof()
            self.ending = Ending.ANSWERED
        except ConnectionError:
            pass
        return response

    async def _unfinished(self, reply: Reply) -> web.StreamResponse:
        """Begins the reply, and resets the connection in its middle or goes on for ever."""
        if self.asked.stream:
            start = b"".join([frame async for frame in self._frames(reply)])
            response = await self._opened("text/event-stream")
        else:
            start = encoded(self.dialect.reply(self.asked, reply, self.number))
            response = await self._opened("application/json")
        try:
            await response.write(start[: max(len(start) // 2, 1)])
            if "endless" not in self.acts:
                await asyncio.sleep(0.01)
                return self._broken(response)
            self.ending = Ending.ABORTED
            while True:
                await response.write(b": " + _FLOOD + b"\n\n" if self.asked.stream else _FLOOD)
                await asyncio.sleep(0.005)
        except ConnectionError:
            self.ending = Ending.ABORTED
        return response

    async def _opened(self, content_type: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": content_type} | self._headers())
        response.enable_chunked_encoding()
        await response.prepare(self.request)
        return response

    def _headers(self) -> dict[str, str]:
        return {"x-request-id": f"req_{self.number:024d}", "request-id": f"req_{self.number:024d}"}

    def _broken(self, response: web.StreamResponse) -> web.StreamResponse:
        transport = self.request.transport
        if transport is not None:
            connection = transport.get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        self.ending = Ending.FAILED
        return response


def _failure(acts: Mapping[str, Behaviour], asked: Asked) -> Refused | None:
    retry_after = acts.get("retry-after")
    retry_after_s = retry_after.amount if retry_after is not None else None
    if "rate" in acts:
        return Refused(
            Fault.STATUS, _MEANT[429], status=429, retry_after_s=1.0 if retry_after_s is None else retry_after_s
        )
    if "fail" in acts:
        status = int(acts["fail"].amount)
        message = _MEANT.get(status, "The request failed, as it was told to.")
        return Refused(Fault.STATUS, message, status=status, retry_after_s=retry_after_s)
    if "nokey" in acts:
        return Refused(Fault.WRONG_KEY, "Incorrect API key provided: ***.")
    if "nomodel" in acts:
        return Refused(
            Fault.NO_MODEL, f"The model '{asked.model}' does not exist or you do not have access to it.", asked.model
        )
    for name in acts["noparam"].word.split() if "noparam" in acts else ():
        if name in asked.parameters:
            return Refused(Fault.UNSUPPORTED_PARAMETER, _unsupported(name), name)
    limit = int(acts["context"].amount) if "context" in acts else None
    tokens = estimated(asked.input_text)
    if limit is not None and tokens > limit:
        message = f"This model's maximum context length is {limit} tokens, but your messages have {tokens} tokens."
        return Refused(Fault.CONTEXT, message, f"{tokens} tokens > {limit}")
    return None


def _unsupported(name: str) -> str:
    instead = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
    return f"Unsupported parameter: '{name}' is not supported with this model.{instead}"


def _error(dialect: Dialect, refused: Refused, number: int) -> web.Response:
    headers = {"x-request-id": f"req_{number:024d}", "request-id": f"req_{number:024d}"}
    if refused.retry_after_s is not None:
        headers["retry-after"] = f"{refused.retry_after_s:g}"
    status, body = dialect.error(refused, number)
    return web.Response(
        status=status,
        body=encoded(body),
        content_type="application/json",
        headers=headers,
    )


async def _async(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
