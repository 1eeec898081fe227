"""Licences of the packages that an installation brings, as their own metadata state them.

``python -m mer_companion.licences`` prints a table; nothing is typed by hand.
"""

import re
import tomllib
from importlib import metadata

from packaging.requirements import Requirement

from mer_core import paths


def licences() -> dict[str, str]:
    """Licence by package, of all that the required dependencies in pyproject.toml bring, sorted by name."""
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, str] = {}
    waiting = [Requirement(text) for text in project["dependencies"]]
    while waiting:
        wanted = waiting.pop()
        name = wanted.name.lower().replace("_", "-")
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        try:
            package = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            continue  # a marker of another system, or not installed
        found[name] = stated(package)
        waiting += map(Requirement, package.requires or [])
    return dict(sorted(found.items()))


def stated(package: metadata.Distribution) -> str:
    """What a package's metadata say: an SPDX expression, else a short field, else its classifiers."""
    said = package.metadata
    if expression := said.get("License-Expression"):
        return expression
    lines = [line for line in said.get_all("Classifier", []) if "License ::" in line]
    classifiers = [line.rpartition(" :: ")[2] for line in lines]
    field = (said.get("License") or "").strip()
    text = field.splitlines()[0] if field else ""
    return text if text and len(field) < 80 else ", ".join(classifiers) or re.sub(r"\s+", " ", text)


def table() -> str:
    """The same as Markdown."""
    rows = (f"| {name} | {licence} |" for name, licence in licences().items())
    return "\n".join(["| package | licence |", "|---|---|", *rows])


if __name__ == "__main__":
    print(table())
