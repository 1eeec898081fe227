"""Pages ask for nothing that is not there, nor for more than they use.

- Sphinx-thebe's scripts go: live code is off, and its constants, written twice, are a script error on every
page.
- MathJax goes from pages without formulas, and from all where it could not be fetched
(`mer_companion.book.web_assets`): they show TeX source.
- What the theme brings and no page loads stays out of the site: source maps, icons as a script and in an old
font format, which its style sheet draws from WOFF2, and other languages.
- The search index goes from all pages but the search page: the theme loads it everywhere, for results while
one types, which are off.
- Search opened from disk lists titles only: a browser lets no page read another one there for the lines
around a hit.
"""

import re
from pathlib import Path

UNLOADED = ("*.map", "fontawesome.js*", "*.ttf", "locales/**/*.*")
SEARCH_TOOLS = re.compile(
    r'\s*<script src="[^"]*(?:_static/searchtools|_static/language_data|searchindex)\.js"></script>'
)
FROM_DISK = "DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== 'file:';"


def with_what_is_there(app, pagename, templatename, context, doctree):
    if pagename == "search":
        app.add_js_file(None, body=FROM_DISK)
    has_formulas = app.env.get_domain("math").data["has_equations"].get(pagename)
    unwanted = (
        {"thebe"} if has_formulas and app.config.mathjax_is_there else {"thebe", app.config.mathjax_path}
    )
    scripts = context.get("script_files", [])
    context["script_files"] = [js for js in scripts if not any(name in str(js) for name in unwanted)]


def look_for_mathjax(app, config):
    config.mathjax_is_there = any(
        Path(app.confdir, folder, config.mathjax_path).exists() for folder in config.html_static_path
    )


def without_unloaded(app, exception):
    static = Path(app.outdir, "_static")
    for path in [path for pattern in UNLOADED for path in static.rglob(pattern)]:
        if app.builder.format == "html" and path.is_file():
            path.unlink()


def without_search_tools(app, exception):
    if app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if path.name != "search.html" and SEARCH_TOOLS.search(text):
            path.write_text(SEARCH_TOOLS.sub("", text), encoding="utf-8")


def setup(app):
    app.add_config_value("mathjax_is_there", True, "html")  # every page is written anew when that changes
    app.connect("config-inited", look_for_mathjax)
    app.connect("html-page-context", with_what_is_there, priority=900)
    app.connect("build-finished", without_search_tools)
    app.connect("build-finished", without_unloaded)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
