"""On pages with figures to explore: the scripts and styles that draw them; they load the plotly that lies
beside them once the page is shown. The chart of verdicts needs a style only.

The page that takes the reader's own song gets its script too, and loads plotly itself once there is something
to draw. Where plotly could not be fetched (`mer_companion.book.web_assets`), there is a sentence in a
figure's place.
"""

from pathlib import Path

PLOTLY = "plotly.min.js"
FIGURES = 'class="explore"'
WANTED = {
    FIGURES: ("explore.css", "explore.js"),
    'class="explore own-song"': ("explore.css", "explore.js", "own_song.js"),
    'class="verdict-chart"': ("verdicts.css",),
}


def with_scripts(app, pagename, templatename, context, doctree):
    for mark, files in WANTED.items():
        if mark in context.get("body", "") and (mark != FIGURES or app.config.plotly_is_there):
            style, *scripts = (context["pathto"](f"_static/{name}", 1) for name in files)
            context["metatags"] = context.get("metatags", "") + f'<link rel="stylesheet" href="{style}"/>'
            context["body"] += "".join(f'<script src="{script}"></script>' for script in scripts)


def look_for_plotly(app, config):
    config.plotly_is_there = any(
        Path(app.confdir, folder, PLOTLY).exists() for folder in config.html_static_path
    )


def setup(app):
    app.add_config_value("plotly_is_there", True, "html")  # every page is written anew when that changes
    app.connect("config-inited", look_for_plotly)
    app.connect("html-page-context", with_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
