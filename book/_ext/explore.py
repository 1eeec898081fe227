"""On pages with figures to explore: the copy of plotly that lies beside the pages, and the script and style that draw them.

The page that hears the reader's own song gets its script too, and loads plotly itself once there is something to draw.
"""

WANTED = {'class="explore"': ("plotly.min.js", "explore.js"), 'class="explore own-song"': ("explore.js", "own_song.js")}


def with_scripts(app, pagename, templatename, context, doctree):
    for mark, scripts in WANTED.items():
        if mark in context.get("body", ""):
            style, *scripts = (context["pathto"](f"_static/{name}", 1) for name in ("explore.css", *scripts))
            context["metatags"] = context.get("metatags", "") + f'<link rel="stylesheet" href="{style}"/>'
            context["body"] += "".join(f'<script src="{script}"></script>' for script in scripts)


def setup(app):
    app.connect("html-page-context", with_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
