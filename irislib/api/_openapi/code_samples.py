"""Example requests as commands of a shell, in Python and in R."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

__all__ = ["Row", "curl", "curl_csv", "python", "r"]

R_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
R_WORDS = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in"}
R_WORDS |= {"TRUE", "FALSE", "NULL", "Inf", "NaN", "NA"}
Row = dict[str, Any]


def curl(url: str, row: Row, token: str = "") -> str:
    """Write the request as a command for a shell."""
    body = json.dumps(row, indent=2).replace("\n", "\n  ")
    return _command(url, token, "-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}")


def curl_csv(url: str, token: str = "") -> str:
    """Write the command that sends a CSV file as a batch."""
    return _command(url, token, "-H 'Content-Type: text/csv' --data-binary @rows.csv -o answers.csv")


def _command(url: str, token: str, *parts: str) -> str:
    guard = [f"-H {shlex.quote(f'Authorization: Bearer {token}')}"] if token else []
    return " \\\n  ".join([f"curl {shlex.quote(url)}", *guard, *parts])


def python(url: str, row: Row, token: str = "") -> str:
    """Write the request in Python, with requests."""
    lines = [f"    {_python(name)}: {_python(value)}," for name, value in row.items()]
    guard = [f'headers = {{"Authorization": {_python(f"Bearer {token}")}}}'] if token else []
    call = f"requests.post({_python(url)}, json=row{', headers=headers' if token else ''})"
    steps = ["row = {", *lines, "}", f"answer = {call}", "print(answer.json())"]
    return "\n".join(["import requests", "", *guard, *steps])


def _python(value: Any) -> str:
    # JSON's strings and numbers are Python's as well, in the quotes that most Python has
    return repr(value) if isinstance(value, bool | None) else json.dumps(value, ensure_ascii=False)


def r(url: str, row: Row, token: str = "") -> str:
    """Write the request in R, with httr2."""
    values = ",\n".join(f"  {_r_name(name)} = {_r(value)}" for name, value in row.items())
    steps = [f"request({_r(url)})", *([f"req_auth_bearer_token({_r(token)})"] if token else [])]
    steps += ["req_body_json(row)", "req_perform()", "resp_body_json()"]
    return "\n".join(["library(httr2)", "", "row <- list(", values, ")", " |>\n  ".join(steps)])


def _r_name(name: str) -> str:
    return name if R_NAME.fullmatch(name) and name not in R_WORDS else f"`{name}`"


def _r(value: Any) -> str:
    return str(value).upper() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
