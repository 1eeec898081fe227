"""Text as commands show it: escaped for one line of a terminal, and the templates of what is written."""

from functools import cache


def printable(text: object) -> str:
    r"""Text for one line of a terminal: newlines, control characters and bytes that are no UTF-8 as escapes.

    >>> printable("a\nb.mp3")
    'a\\nb.mp3'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


def interval(estimate: dict) -> str:
    """A value with the ends of its 95 % interval.

    >>> interval({"value": 0.5, "low": 0.25, "high": 0.75})
    '0.500 (0.250 to 0.750)'
    """
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def rendered(template: str, **values: object) -> str:
    """A file of ``mer_app/templates`` with these values, escaped as its language needs it."""
    return _templates().get_template(f"{template}.jinja").render(values)


@cache
def _templates():
    import jinja2  # here, so that help need not wait for it

    from mer_core.emotion import in_words

    @jinja2.pass_eval_context
    def escaped(context, value):
        """In Markdown a bar would end the cell of a table, and `<` begin HTML; Jinja itself escapes HTML."""
        if not isinstance(value, str) or context.autoescape:
            return value
        return printable(value).replace("|", r"\|").replace("<", "&lt;")

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mer_app"),
        autoescape=lambda name: name.endswith(".html.jinja"),
        finalize=escaped,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"printable": printable, "interval": interval, "in_words": in_words}
    return environment
