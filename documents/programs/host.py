# SPDX-License-Identifier: Apache-2.0
"""First program in every sandboxed child: runs others of this folder, one JSON line in, one JSON line out.

A request is ``{"program": NAME, "request": {…}}``; the answer is ``{"reply": {…}}`` or ``{"error": TYPE}``.
Only the type of an exception leaves: its text can quote the material. One child serves one material, so the
libraries are imported once.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_loaded: dict[str, ModuleType] = {}


def load(name: str) -> ModuleType:
    """Load a program that lies beside this file."""
    if name not in _loaded:
        path = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(f"program_{name}", path)
        if spec is None or spec.loader is None:
            raise ImportError
        _loaded[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(_loaded[name])
    return _loaded[name]


def answer(line: bytes) -> dict[str, Any]:
    """Run what one line asks for."""
    try:
        asked = json.loads(line)
        return {"reply": load(asked["program"]).main(asked["request"])}
    except MemoryError:
        return {"error": "MemoryError"}
    except Exception as error:  # noqa: BLE001 - whatever a parser throws at hostile input is an answer
        return {"error": type(error).__name__}


def serve() -> None:
    """Answer until the input ends."""
    # Libraries that print must not garble the answers: they get the error channel instead.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        answers.write(json.dumps(answer(line)).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    serve()
