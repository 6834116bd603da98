"""Requests made from the OpenAPI document, sound and wrong ones, to both servers: no answer contradicts the document.

    python benchmarks/fuzz.py                  # 10,000 to each server
    python benchmarks/fuzz.py --cases 500      # so many instead

The exit status is 1 where an answer is not as the document says. `tests/test_api_fuzz.py` has a few of these cases.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from typing import Any

from hostile import serving
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, openapi
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

# A value may come as text in JSON too, and a form is all text: more is taken than JSON Schema can say.
TOO_STRICT = [negative_data_rejection, positive_data_acceptance]
QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


def fuzz(url: str, wanted: int) -> tuple[Counter[int], list[str]]:
    """Send so many requests; return the number of answers by status, and what was wrong."""
    statuses: Counter[int] = Counter()
    faults: list[str] = []
    every = map(Ok.ok, openapi.from_url(f"{url}/openapi.json").get_all_operations())
    operations = [operation for operation in every if not is_page(operation)]
    rich = [operation for operation in operations if operation.method == "post"]
    while statuses.total() < wanted and not faults:
        before = statuses.total()
        for operation in operations if not statuses else rich:
            for mode in GenerationMode:
                if mode.is_negative and not (operation.body or operation.query):
                    continue  # nothing can be sent that the document would not have
                examples = min(wanted - statuses.total(), max(10, wanted // len(rich) // 4))
                if examples > 0:
                    run(operation, mode, examples, statuses, faults)
        if statuses.total() == before:
            break
    return statuses, faults


def is_page(operation: Any) -> bool:
    """Return True if each request would start a kernel."""
    return str(operation.definition.raw.get("operationId", "")).startswith("page_")


def run(operation: Any, mode: GenerationMode, examples: int, statuses: Counter[int], faults: list[str]) -> None:
    """Send requests of one operation."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=examples, **QUIET)
    def hold(case: Any) -> None:
        response = case.call()
        statuses[response.status_code] += 1
        if response.status_code >= 400:
            assert response.headers["content-type"] == ["application/problem+json"]
            assert json.loads(response.text)["status"] == response.status_code
            assert "Traceback" not in response.text
        case.validate_response(response, excluded_checks=TOO_STRICT)

    try:
        hold()
    except Exception as error:  # whatever a check found
        faults.append(f"{operation.method.upper()} {operation.path}: {error}")


def main() -> int:
    """Send requests to both servers and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--servers", nargs="*", default=["serve", "api"])
    options = parser.parse_args()
    all_faults = []
    print("| server | requests | answers by status | not as documented | time |\n|---|---|---|---|---|")
    for command in options.servers:
        with serving(command, *(["--Pages.warm=False"] if command == "serve" else [])) as server:
            started = time.monotonic()
            statuses, faults = fuzz(server.url, options.cases)
            minutes = (time.monotonic() - started) / 60
        listed = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
        print(
            f"| `irislib {command}` | {statuses.total():,} | {listed} | {len(faults)} | {minutes:.1f} min |", flush=True
        )
        all_faults += faults
    print(*all_faults, sep="\n")
    return int(bool(all_faults))


if __name__ == "__main__":
    sys.exit(main())
