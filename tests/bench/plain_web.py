# SPDX-License-Identifier: Apache-2.0
"""The least that our web server can do: one word, no record. What an answer costs is compared with it."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def word() -> str:
    return "ok"
