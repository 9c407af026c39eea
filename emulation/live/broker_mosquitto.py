"""A mosquitto of this machine as a child: configured, awaited, watched, started again when it dies, ended with us.

Neighbours: `broker` chooses it. The configuration sets what the emulation cannot do without: `set_tcp_nodelay` (without
it every tenth frame waits 40 ms for a delayed ACK) and queues long enough for a storm of 500 meters.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NoReturn

from emulation.live.broker import BrokerError, Kind, listening_socket, local_url
from emulation.live.plain_words import plain_words

_log = logging.getLogger("gridglow.broker")

_CONFIGURATION = """\
listener {port} {bind}
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 10000
max_inflight_messages 0
persistence false
connection_messages false
log_dest stderr
log_type error
log_type warning
log_timestamp false
"""

_READY_S = 10.0
_END_S = 3.0
_PATIENCE = 5
"""Deaths in a row, each sooner than `_SOON_S` after its start, until it is given up."""
_SOON_S = 10.0

# CONNECT of MQTT 3.1.1, clean session, keep-alive 5 s, empty client id; DISCONNECT.
_CONNECT = bytes.fromhex("100c00044d5154540402000500 00")
_CONNACK = bytes.fromhex("20020000")
_DISCONNECT = bytes.fromhex("e000")


class Mosquitto:
    """The child, from its first start to the end of the block."""

    kind: Kind = "mosquitto"

    def __init__(self, program: str, bind: str, port: int) -> None:
        self.port = port
        self.deaths = 0
        self.url = local_url(bind, port)
        self._host = self.url.removeprefix("mqtt://").rpartition(":")[0].strip("[]")
        self._command = [*_prefix(), program, "-c"]
        self._configuration = _CONFIGURATION.format(port=port, bind=bind or "0.0.0.0")
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self._last_words = ""
        self._failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int | None:
        """Process of the child that runs now."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Start the child and wait until it answers a CONNECT; raises `BrokerError` with its own last words."""
        self._last_words = ""
        # The file is read once; gone as soon as the child answers, it is no litter when we are killed.
        with tempfile.TemporaryDirectory(prefix="gridglow-broker-") as folder:
            # Started by root, mosquitto changes to its own user and still has to read it.
            Path(folder).chmod(0o755)
            configuration = Path(folder, "mosquitto.conf")
            configuration.write_text(self._configuration, encoding="utf-8")
            # A session of its own: Ctrl-C is for us, and the stations still have to say goodbye through the broker.
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                str(configuration),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            await self._wait_until_ready(process)

    async def _wait_until_ready(self, process: asyncio.subprocess.Process) -> None:
        self._listener = asyncio.create_task(self._listen(process))
        try:
            async with asyncio.timeout(_READY_S):
                while not await self._answers():
                    if process.returncode is not None:
                        await self._listener
                        raise BrokerError(f"mosquitto did not start: {self._last_words or _ending(process)}")
                    await asyncio.sleep(0.01)
        except TimeoutError:
            await self.stop()
            raise BrokerError(f"mosquitto did not answer on {self.url} within {_READY_S:.0f} s") from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the child: politely, then not."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(_END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def keep_running(self) -> None:
        """Start the child again whenever it ends; ends itself only when the child cannot be kept running."""
        loop = asyncio.get_running_loop()
        quick = 0
        while self._process is not None:
            started = loop.time()
            await self._process.wait()
            self.deaths += 1
            quick = quick + 1 if loop.time() - started < _SOON_S else 1
            reason = self._last_words or _ending(self._process)
            if quick > _PATIENCE:
                failure = f"mosquitto died {quick} times in a row: {reason}"
                _log.error("%s", failure)
                self._failure.set_result(failure)
                return
            _log.warning("the broker ended (%s): starting it again on port %d", reason, self.port)
            await asyncio.sleep(0.1 * (quick - 1))
            try:
                await self.start()
            except BrokerError as error:
                self._last_words = str(error)
            except OSError as error:
                self._last_words = plain_words(error)

    async def failed(self) -> NoReturn:
        """Wait until it cannot be kept running; raises `BrokerError`."""
        raise BrokerError(await asyncio.shield(self._failure))

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(self._host, self.port)
        except OSError:
            return False
        try:
            writer.write(_CONNECT)
            async with asyncio.timeout(1.0):
                answer = await reader.readexactly(4)
            writer.write(_DISCONNECT)
            return answer == _CONNACK
        except (OSError, EOFError, TimeoutError):
            return False
        finally:
            writer.close()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Pass on what the child complains about; its last error tells why it ended."""
        if process.stderr is None:
            return
        async for line in process.stderr:
            words = line.decode("utf-8", "replace").strip()
            if words.startswith("Error"):
                self._last_words = words
            if words:
                _log.warning("mosquitto: %s", words)


@asynccontextmanager
async def mosquitto(program: str, bind: str, port: int) -> AsyncIterator[Mosquitto]:
    """Run a mosquitto child as long as the block runs; see `broker.embedded_broker`."""
    child = await _first_start(program, bind, port)
    watch = asyncio.create_task(child.keep_running(), name="broker watch")
    try:
        yield child
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await child.stop()


async def _first_start(program: str, bind: str, port: int) -> Mosquitto:
    """A free port found by us may be taken by somebody else before mosquitto has it: then another one."""
    for last in (port != 0, port != 0, True):
        with listening_socket(bind, port) as probe:
            chosen = int(probe.getsockname()[1])
        child = Mosquitto(program, bind, chosen)
        try:
            await child.start()
        except BrokerError:
            if last:
                raise
        except OSError as error:
            raise BrokerError(f"{program} cannot be run: {plain_words(error)}") from None
        else:
            return child
    raise BrokerError(f"no free port on {bind}")


def _prefix() -> list[str]:
    """What stands before the command so that the kernel ends it when we are killed; nothing where that is unknown.

    The change of user has to come before, because the kernel forgets the wish at a change of user.
    """
    prefix = ["setpriv", "--pdeathsig", "TERM"]
    if os.geteuid() == 0:
        owner = _owner()
        prefix += ["--reuid", owner, "--regid", str(pwd.getpwnam(owner).pw_gid), "--clear-groups"]
    try:
        known = subprocess.run([*prefix, "true"], capture_output=True, timeout=5, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        known = False
    return prefix if known else []


def _owner() -> str:
    """Whom a mosquitto started by root changes to."""
    try:
        return pwd.getpwnam("mosquitto").pw_name
    except KeyError:
        return "nobody"


def _ending(process: asyncio.subprocess.Process) -> str:
    code = process.returncode or 0
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
