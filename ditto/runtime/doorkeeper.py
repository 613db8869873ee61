"""Who is at the door: which tenant a key opens for, by the register of keys as this process last read it.

No request waits for the store: the register is read again in the background of the next request when it is five seconds
old, and one that is unknown has it read at once, though not more often than once a second. While the store is away what
was read last counts: where nothing can be read, nothing can have been changed.

Keys are needed as soon as there has ever been one, and wherever other machines can reach the service. Until then who
asks from this machine is the tenant `default`, whatever he shows. Where there are keys, that a service listens on
loopback alone is no reason to let everybody in: a proxy that makes it public asks from this machine too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from ditto.domain.access_keys import AccessKey, id_in, opens
from ditto.domain.tenants import DEFAULT, Allowance, Tenant
from ditto.errors import ConfigurationError, StoreError, Unauthorized, Unavailable
from ditto.store.access import Access, Register

log = logging.getLogger("ditto.doorkeeper")

FRESH_S = 5.0
UNKNOWN_S = 1.0
PATIENCE_S = 1.0
"""How long a request waits for the register to be read anew."""
_UNLIMITED = Allowance()


class Doorkeeper:
    """The one of one process.

    Args:
        local: Only this machine can reach the service.
        allowances: By tenant; these count before what the store keeps.
    """

    def __init__(
        self,
        access: Access,
        *,
        local: bool,
        allowances: Mapping[str, Allowance],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._access = access
        self._local = local
        self._allowances = allowances
        self._clock = clock
        self._register: Register | None = None
        self._keys: dict[str, AccessKey] = {}
        self._tenants: dict[tuple[str, bool], Tenant] = {}
        self._read_at_s = 0.0
        self._reading: asyncio.Task[None] | None = None

    async def check(self, where: str) -> None:
        """Returns where the service may be opened.

        Args:
            where: The address at which it listens.

        Raises:
            ConfigurationError: Other machines reach it, and there is no key; the message says how to make one.
            Unavailable: The store does not say.
        """
        if not self._local and not (await self._current(FRESH_S)).keys:
            raise ConfigurationError(
                f"the service would listen on {where}, where other machines reach it, and there is no key: make one "
                "with `ditto keys create`, or let it listen on 127.0.0.1"
            )

    async def admit(self, shown: str | None) -> Tenant:
        """Returns the tenant that asks.

        Args:
            shown: What the request shows as its key, None where it shows none.

        Raises:
            Unauthorized: A key is needed, and this is none that opens.
            Unavailable: The keys have never been read, and the store is away.
        """
        register = await self._current(FRESH_S)
        if self._local and not register.keys:
            return self._tenant(DEFAULT, keyed=False)
        if shown is None:
            raise Unauthorized("a key is needed: send it as Authorization: Bearer <key>")
        key = self._keys.get(id_in(shown))
        if key is None:
            await self._current(UNKNOWN_S)
            key = self._keys.get(id_in(shown))
        if not opens(key, shown) or key is None:
            raise Unauthorized("the key does not open: it is unknown, or it was revoked")
        return self._tenant(key.tenant, keyed=True)

    def _tenant(self, name: str, *, keyed: bool) -> Tenant:
        known = self._tenants.get((name, keyed))
        if known is None:
            kept = {} if self._register is None else self._register.allowances
            allowance = self._allowances.get(name) or kept.get(name) or _UNLIMITED
            known = self._tenants[name, keyed] = Tenant(name=name, allowance=allowance, keyed=keyed)
        return known

    async def _current(self, age_s: float) -> Register:
        """Returns the register, not older than that unless the store is slow or away."""
        if self._register is None or self._clock() - self._read_at_s > age_s:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.get_running_loop().create_task(self._read())
            patience_s = None if self._register is None else PATIENCE_S
            await asyncio.wait([self._reading], timeout=patience_s)
            if self._register is None:
                self._reading.result()
        if self._register is None:
            raise Unavailable("the keys have not been read yet")
        return self._register

    async def _read(self) -> None:
        try:
            register = await self._access.register()
        except StoreError as error:
            if self._register is None:
                raise Unavailable(str(error)) from error
            log.warning("keys not read", extra={"reason": str(error)})
        else:
            if register != self._register:
                self._register = register
                self._keys = {key.id: key for key in register.keys}
                self._tenants = {}
        self._read_at_s = self._clock()
