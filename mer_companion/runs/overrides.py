"""Settings changed by dotted names, as ``--set folds.n=5`` has them, and checked against their types."""

import math
import re
from dataclasses import fields, is_dataclass, replace
from typing import get_args, get_origin

import yaml

from mer_companion.runs.settings import RECORDED_AS
from mer_core import RequestError

WANTED = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
RENAMED = {old: new for new, old in RECORDED_AS.items()}


class Text(str):
    """A value as the command line has it: text where the setting is text, else YAML."""

    def as_kind(self, name: str, kind: type):
        """The plain value that a setting of this type makes of it; raises RequestError for broken YAML."""
        if kind is str:
            return str(self)
        if re.fullmatch(r"[-+]?\d+e[-+]?\d+", self, re.IGNORECASE):  # YAML takes 1e-4 for text
            return float(self)
        loader = yaml.BaseLoader if str in get_args(kind) else yaml.SafeLoader  # the first leaves all text
        try:
            return yaml.load(self, loader)
        except yaml.YAMLError:
            reason = "the value is not YAML, as 3, 0.5, true, word or [one, two] are"
            raise RequestError(f"--set {name}={self}: {reason}.") from None


def changed(settings, changes: dict, part_of: str = ""):
    """A copy of frozen settings with some fields replaced; a dotted name reaches into a part: ``folds.n``.

    Raises
    ------
    RequestError : no such setting, or one that cannot have this value
    """
    types, own, parts = {f.name: f.type for f in fields(settings)}, {}, {}
    for name, value in changes.items():
        first, dot, rest = name.partition(".")
        if (now := RENAMED.get(first)) in types:
            raise RequestError(f"the setting {part_of + first} is now called {part_of + now}.")
        if first not in types or (dot and not is_dataclass(getattr(settings, first))):
            known = ", ".join(part_of + one for one in types)
            raise RequestError(f"no setting {part_of + name!r}; there are {known}.")
        if dot:
            parts.setdefault(first, {})[rest] = value
        else:
            own[first] = fitting(value, part_of + name, getattr(settings, first), types[first])
    for first, of_it in parts.items():
        own[first] = changed(own.get(first, getattr(settings, first)), of_it, f"{part_of}{first}.")
    try:
        return replace(settings, **own)
    except ValueError as error:
        given = ", ".join(f"{part_of}{name}={value}" for name, value in changes.items())
        raise RequestError(f"{given}: {error}.") from None


def fitting(value, name: str, before, kind: type):
    """A value as a field of this type has it, a list as a tuple; refused where it is of another type."""
    value = value.as_kind(name, kind) if isinstance(value, Text) else value
    value = tuple(value) if isinstance(value, list) else value  # as the command line has them
    if is_dataclass(before):
        good = is_dataclass(value)
        what = f"one of its own settings, {', '.join(f'{name}.{f.name}' for f in fields(before))}"
    else:
        good, what = fits(value, kind), wanted(kind)
    if not good:
        raise RequestError(f"{name}={value!r}: wanted is {what}.")
    return value


def fits(value, kind: type) -> bool:
    """Whether a plain value is of a field's type; a whole number is a number too, true and false are none."""
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(fits(one, get_args(kind)[0]) for one in value)
    if get_args(kind):  # int | None
        return any(fits(value, one) for one in get_args(kind))
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return kind is object or type(value) is kind


def wanted(kind: type) -> str:
    """What a field's type requires, in words.

    >>> wanted(int | None), wanted(tuple[str, ...])
    ('a whole number or null', 'a list, each text')
    """
    if get_origin(kind) is tuple:
        return f"a list, each {wanted(get_args(kind)[0])}"
    return WANTED.get(kind) or " or ".join(map(wanted, get_args(kind)))
