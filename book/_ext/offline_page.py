"""Drop the scripts of sphinx-thebe: live code is off, and its constants, written twice, are a script error on every page."""


def without_thebe(app, pagename, templatename, context, doctree):
    context["script_files"] = [script for script in context.get("script_files", []) if "thebe" not in str(script)]


def setup(app):
    app.connect("html-page-context", without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
