"""Pages load nothing that is not there: no live code, no script from outside, no script that was not fetched.

Sphinx-thebe's scripts go because live code is off and its constants, written twice, are a script error on every page. MathJax
goes where it could not be fetched (`mer_core.assets`): formulas are then shown as TeX source.
"""

from pathlib import Path


def with_what_is_there(app, pagename, templatename, context, doctree):
    unwanted = ("thebe",) if app.config.formulas_are_drawn else ("thebe", app.config.mathjax_path)
    scripts = context.get("script_files", [])
    context["script_files"] = [script for script in scripts if not any(name in str(script) for name in unwanted)]


def look_for_mathjax(app, config):
    folders = [Path(app.confdir, folder) for folder in config.html_static_path]
    config.formulas_are_drawn = any((folder / config.mathjax_path).exists() for folder in folders)


def setup(app):
    app.add_config_value("formulas_are_drawn", True, "html")  # so that every page is written anew when that changes
    app.connect("config-inited", look_for_mathjax)
    app.connect("html-page-context", with_what_is_there, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
