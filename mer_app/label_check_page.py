"""A page to listen to doubtful labels: one file, no network, the songs played from where they lie."""

import html
import os
from pathlib import Path
from urllib.parse import quote_from_bytes

import pandas as pd

from mer_app.options import printable

BAR, HEIGHT = 8, 40  # pixels of a second's bar
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Doubtful labels</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
section {{ border-top: 1px solid #8888; padding: 1rem 0 }}
h2 {{ font-size: 1.05rem; margin: 0; overflow-wrap: anywhere }}
audio {{ width: 100% }}
svg {{ max-width: 100%; cursor: pointer }}
rect {{ fill: #de8f05 }} rect.believed {{ fill: #0173b2 }}
</style></head><body>
<h1>Doubtful labels</h1>
<p>The most doubtful song first. A bar is a second; its height is the probability that the song's label is right there, as
networks judge that had not heard the song: blue where it is likelier right than wrong, orange where not. Click a bar to hear
that second.
A low bar means that the label is wrong <em>or</em> that the song is hard: your ears decide.</p>
{songs}
<script>
for (const bar of document.querySelectorAll("rect")) bar.addEventListener("click", () => {{
  const sound = bar.closest("section").querySelector("audio");
  sound.currentTime = Number(bar.dataset.second); sound.play();
}});
</script>
</body></html>
"""
SONG = """<section><h2>{name}</h2>
<p>Labelled <strong>{label}</strong>, clean probability {clean:.2f}; sounds like <strong>{called}</strong> ({p:.2f}).</p>
<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="Clean probability second by second">
{bars}</svg>
<audio controls preload="none" src="{source}"></audio></section>"""
RECT = (
    '<rect x="{x}" y="{y:.1f}" width="{w}" height="{h:.1f}" data-second="{second}"{kind}>'
    "<title>{second} s: {p:.2f}</title></rect>"
)


def written(songs: pd.DataFrame, windows: pd.DataFrame, page: Path) -> str:
    """The page as HTML.

    Parameters
    ----------
    songs, windows : as `own_music.doubtful` gives them
    page : where it will lie; songs are linked from there
    """
    of_song = dict(iter(windows.groupby("track_id")))
    return PAGE.format(
        songs="\n".join(_section(song, of_song[song.track_id], page) for song in songs.itertuples())
    )


def _section(song, windows: pd.DataFrame, page: Path) -> str:
    source = quote_from_bytes(os.fsencode(os.path.relpath(song.path, page.parent)))
    bars = "".join(
        RECT.format(
            x=int(row.second) * BAR, y=HEIGHT * (1 - row.clean_probability), w=BAR - 1, h=max(HEIGHT * row.clean_probability, 2),
            second=int(row.second), p=row.clean_probability, kind=' class="believed"' if row.clean_probability >= 0.5 else "",
        )
        for row in windows.itertuples()
    )  # fmt: skip
    return SONG.format(
        name=html.escape(printable(song.track_id)), label=html.escape(song.label), called=html.escape(song.called),
        p=song.p_called, clean=song.clean_probability, source=html.escape(source), bars=bars, height=HEIGHT,
        width=(int(windows["second"].max()) + 1) * BAR,
    )  # fmt: skip
