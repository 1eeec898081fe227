"""On pages with figures to explore: the copy of plotly that lies beside the pages, and the script and style that draw them."""


def with_scripts(app, pagename, templatename, context, doctree):
    if 'class="explore"' in context.get("body", ""):
        plotly, script, style = (
            context["pathto"](f"_static/{name}", 1) for name in ("plotly.min.js", "explore.js", "explore.css")
        )
        context["metatags"] = context.get("metatags", "") + f'<link rel="stylesheet" href="{style}"/>'
        context["body"] += f'<script src="{plotly}"></script><script src="{script}"></script>'


def setup(app):
    app.connect("html-page-context", with_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
