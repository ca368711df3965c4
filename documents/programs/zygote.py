# SPDX-License-Identifier: Apache-2.0
"""Started once in a confined child: imports one program, then does each job in a fork that dies with it.

Called with the program's file, with ``fork`` or ``once``, and with the folder of our packages if the program
imports any. Its standard input is a socket: it says ``forks`` or ``once`` when it is ready; a job is three
descriptors: the request (JSON), the file, the pipe for the answer. What comes back on the socket is how the
job ended.

A job never meets this process or another job: it is the first process of a PID, IPC and user namespace of
its own, so it can name no process but those that it started, and they die with it; it holds none of this
process's descriptors and no capability; it is not dumpable, nor is this process, so neither can be read or
traced. This process reads nothing of a job, neither request nor file nor answer. Where such namespaces cannot
be made it says ``once``, does one job itself and ends.
"""

import ctypes
import gc
import importlib.util
import json
import os
import resource
import select
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

_PR_SET_DUMPABLE = 4
_NAMESPACES = 0x10000000 | 0x20000000 | 0x08000000
"""CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWIPC."""
_CAPABILITY_VERSION_3 = 0x20080522
_NOT_NESTED = 70

_libc = ctypes.CDLL(None, use_errno=True)


def load(path: Path) -> ModuleType:
    """Import a program by its file."""
    spec = importlib.util.spec_from_file_location(f"program_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def perform(program: ModuleType, question: int, file: int, answer: int) -> None:
    """Do one job; only the type of an exception leaves, its text can quote the file."""
    try:
        with os.fdopen(question, "rb") as asked:
            request = json.load(asked)
        with os.fdopen(file, "rb") as request["file"]:
            found: dict[str, Any] = {"reply": program.main(request)}
    except MemoryError:
        found = {"error": "MemoryError"}
    except Exception as error:  # noqa: BLE001 - whatever a parser throws at hostile input is an answer
        found = {"error": type(error).__name__}
    with os.fdopen(answer, "wb") as pipe:
        pipe.write(json.dumps(found).encode() + b"\n")


def hide() -> None:
    """Become what no other process may read or trace."""
    if _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def give_up() -> None:
    """Lose every capability, the right to write to files, and that to start processes (root keeps it)."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    if _libc.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
    hide()


def alone(program: ModuleType | None, control: socket.socket, job: tuple[int, int, int] | None) -> NoReturn:
    """In a fork: do a job in namespaces of its own; without a job, only try whether they can be made."""
    code = _NOT_NESTED
    # Whatever happens, this fork must never go on as if it were the zygote.
    with suppress(BaseException):
        control.close()
        # A process group is a name for processes, too, and the zygote's must not be ours.
        os.setsid()
        if _libc.unshare(_NAMESPACES) == 0:
            inner = os.fork()
            if inner == 0:
                _inner(program, job)
            for handle in job or ():
                os.close(handle)
            code = _ended(inner)
    os._exit(code)


def _inner(program: ModuleType | None, job: tuple[int, int, int] | None) -> NoReturn:
    code = 1
    with suppress(BaseException):
        os.setsid()
        give_up()
        if job is None:
            code = 0 if os.getpid() == 1 else _NOT_NESTED
        elif program is not None:
            perform(program, *job)
            code = 0
    os._exit(code)


def _ended(pid: int) -> int:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code if code >= 0 else 128 - code


def can_fork(control: socket.socket) -> bool:
    """Tell whether a job can get namespaces of its own here, by trying."""
    pid = os.fork()
    if pid == 0:
        alone(None, control, None)
    return _ended(pid) == 0


def serve(program: ModuleType, control: socket.socket) -> None:
    """Do jobs, one after the other, until the other side is gone."""
    while job := _next(control):
        pid = os.fork()
        if pid == 0:
            alone(program, control, job)
        for handle in job:
            os.close(handle)
        if _abandoned(control, pid):
            return
        control.send(str(_ended(pid)).encode())


def _abandoned(control: socket.socket, pid: int) -> bool:
    """Wait for a job; tell whether the other side went away meanwhile, for it never writes during a job."""
    ended = os.pidfd_open(pid)
    waiting = select.poll()
    waiting.register(ended, select.POLLIN)
    waiting.register(control.fileno(), select.POLLIN)
    ready = [handle for handle, _ in waiting.poll()]
    os.close(ended)
    return control.fileno() in ready


def _next(control: socket.socket) -> tuple[int, int, int] | None:
    _, handles, _, _ = socket.recv_fds(control, 16, 3)
    return (handles[0], handles[1], handles[2]) if len(handles) == 3 else None


def main() -> None:
    """Import, say what can be done, and do it."""
    path, way, *packages = sys.argv[1:]
    control = socket.socket(fileno=os.dup(0))
    os.dup2(1, 0)
    hide()
    sys.path[:0] = packages
    program = load(Path(path))
    forks = way == "fork" and can_fork(control)
    if forks and hasattr(program, "warm"):
        # Without it the first files take longer, no more.
        with suppress(Exception):
            program.warm()
    # What stands now is shared by all forks; collecting it would copy it for each of them.
    gc.collect()
    gc.freeze()
    control.send(b"forks" if forks else b"once")
    if forks:
        serve(program, control)
    elif job := _next(control):
        perform(program, *job)


if __name__ == "__main__":
    main()
