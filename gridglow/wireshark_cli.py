"""`gridglow wireshark DIR`: open a run's capture in Wireshark, with the dissectors that ship and the right preferences.

Neighbours: `emulation.observe.pcap` (the captures), `gridglow/wireshark/*.lua` (LOADng, LBP, COSEM), `gridglow.cli`.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from gridglow.errors import fail, path_of

PREFERENCES = (
    # shows the PAN in addresses, and makes the UDP checksum right
    "6lowpan.rfc4944_short_address_format:TRUE",
    "udp.check_checksum:TRUE",
    # segment control in front of 802.15.4 goes by the name of IEEE 1901.2 there
    'uat:user_dlts:"User 0 (DLT=147)","wisun.netricity.sc","0","","0",""',
)
_MAGIC = b"\x0a\x0d\x0d\x0a"
DISSECTORS = ("g3plc.lua", "cosem.lua")


def command_line(capture: Path, program: str = "wireshark") -> list[str]:
    """Return the command that opens `capture`; for `tshark` the same options hold."""
    folder = resources.files("gridglow") / "wireshark"
    command = [program]
    for preference in PREFERENCES:
        command += ["-o", preference]
    # a heuristic for ZigBee takes G3's beacons for its own and calls them malformed
    command += ["--disable-protocol", "zbee_beacon"]
    for dissector in DISSECTORS:
        command += ["-X", f"lua_script:{folder / dissector}"]
    return [*command, "-r", str(capture)]


def find_capture(directory: Path, psdu: bool) -> Path:
    """Return the capture in a folder of evidence, made from its events where it is not there yet; or a capture itself.

    Raises EvidenceError and OSError.
    """
    from emulation.observe.evidence import CAPTURE_FILE, EVENTS_FILE, PSDU_CAPTURE_FILE
    from emulation.observe.jsonl import EvidenceError
    from emulation.observe.rebuild import rebuild_capture

    if directory.is_file():
        with directory.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise EvidenceError(directory, 0, "neither a pcapng file nor a folder of `gridglow simulate --out`")
        return directory
    capture = directory / (PSDU_CAPTURE_FILE if psdu else CAPTURE_FILE)
    if capture.is_file():
        return capture
    events = directory / EVENTS_FILE
    if not events.is_file():
        raise EvidenceError(directory, 0, f"neither {capture.name} nor {EVENTS_FILE} in it; make some with --out")
    rebuild_capture(events, capture, psdu)
    return capture


def wireshark(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", parser=path_of, help="a folder written by `gridglow simulate --out`")
    ],
    print_: Annotated[bool, typer.Option("--print", help="print the command instead of running it")] = False,
    psdu: Annotated[bool, typer.Option("--psdu", help="whole PSDUs, one record for each segment")] = False,
) -> None:
    """Open the capture of a run in Wireshark, with LOADng, LBP and DLMS dissected."""
    from emulation.observe.jsonl import EvidenceError

    try:
        capture = find_capture(directory, psdu)
    except EvidenceError as error:
        fail(error)
    except OSError as error:
        fail(f"{error.filename or directory}: {error.strerror}")
    command = command_line(capture)
    if print_:
        typer.echo(shlex.join(command))
        return
    if shutil.which(command[0]) is None:
        fail(f"there is no wireshark on this machine; the command would be {shlex.join(command)}")
    raise typer.Exit(subprocess.run(command, check=False).returncode)
