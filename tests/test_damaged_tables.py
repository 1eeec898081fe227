"""Annotation files that were damaged, or saved anew by another program: the right table, or an error that
says where and why.
"""

import json
import random
import zlib

import numpy as np
import pandas as pd
import pytest
from conftest import SPREADSHEETS, write_text

from mer_core import UserError, datasets, paths
from mer_core.datasets import deam, emotify, mtg_jamendo, panda4q, pmemo, splits, tables, vgmidi

N = 12  # rows of a table


def lines(header, row):
    return "\n".join([header, *map(row, range(1, N + 1))]) + "\n"


def rating(i, low=0.0, high=1.0):
    return round(low + (high - low) * ((7 * i) % 11) / 10, 4)


WIDE = "song_id," + ",".join(f"sample_{15000 + 500 * k}ms" for k in range(4))
TSV_HEADER = "\t".join(mtg_jamendo.HEADER)
TAGS = ("calm", "dark", "epic")
FILES = {
    f"pmemo/{pmemo.METADATA}": lines(
        "musicId,fileName,title,artist,album,duration",
        lambda i: f'{i},{i}.mp3,"T, {i}",Beyoncé {i},A,{20 + i}.5',
    ),
    f"pmemo/{pmemo.STATIC}": lines(
        "musicId,Arousal(mean),Valence(mean)", lambda i: f"{i},{rating(i)},{rating(i + 1)}"
    ),
    f"pmemo/{pmemo.DYNAMIC}": lines(
        "musicId,frameTime,Arousal(mean),Valence(mean)", lambda i: f"{i},15.5,{rating(i)},{rating(i + 1)}"
    ),
    f"pmemo/{pmemo.DYNAMIC_SD}": lines(
        "musicId,frameTime,Arousal(std),Valence(std)", lambda i: f"{i},15.5,{rating(i)},{rating(i + 1)}"
    ),
    f"deam/{deam.STATIC[0]}": lines(
        "song_id, valence_mean, valence_std, arousal_mean, arousal_std",
        lambda i: f"{i}, {rating(i, 1, 9)}, , {rating(i + 1, 1, 9)}, ",
    ),
    f"deam/{deam.STATIC[1]}": lines(
        "song_id, valence_mean, valence_std, arousal_mean, arousal_std",
        lambda i: f"{2000 + i}, {rating(i, 1, 9)}, , {rating(i + 1, 1, 9)}, ",
    ),
    f"deam/{deam.SONGS}": lines(
        '"song_id","file_name","Artist","Song title","Genre"',
        lambda i: f'{i},"\t{i}.mp3","\tÉ {i}\t","T","Rock"',
    ),
    **{
        f"deam/{file}": lines(WIDE, lambda i: f"{i}," + ",".join(str(rating(i + k, -1, 1)) for k in range(4)))
        for file in deam.DYNAMIC
    },
    f"emotify/{emotify.ANSWERS}": lines(
        "track id, genre, " + ", ".join(emotify.EMOTIONS) + ", age",
        lambda i: f"{i},classical," + ",".join("01"[(i + k) % 2] for k in range(9)) + ",30",
    ),
    f"emotify/{emotify.ARTISTS}": lines("track_id,artist", lambda i: f"{i},É {i % 5}"),
    f"4q/{panda4q.ANNOTATIONS}": lines("Song,Quadrant", lambda i: f"MT{i:04d},Q{i % 4 + 1}"),
    f"4q/{panda4q.METADATA}": lines(
        "Song,Artist,MoodsStrSplit", lambda i: f'MT{i:04d},Artist {i},"Calm; Sad"'
    ),
    **{
        f"mtg_jamendo/autotagging_moodtheme-{part}.tsv": lines(
            TSV_HEADER,
            lambda i: (
                f"track_{i}\tartist_{i}\talbum_{i}\t0{i % 9}/{i}.mp3\t{100 + i}.5\tmood/theme---{TAGS[i % 3]}"
            ),
        )
        for part in ("test",)
    },
    f"mtg_jamendo/{mtg_jamendo.TAG_ORDER}": "".join(f"mood/theme---{tag}\n" for tag in TAGS),
    f"vgmidi/{vgmidi.LABELS}": lines(
        "id,series,game,midi,valence,arousal", lambda i: f"{i},Mana,Mana,phrases/p{i}_0.mid,{(-1) ** i},1"
    ),
}
ROWS = {file: text.count("\n") - (not file.endswith(".txt")) for file, text in FILES.items()}
READERS = {
    "pmemo": lambda: [pmemo.annotations(), pmemo.dynamic()],
    "deam": lambda: [deam.annotations(), deam.dynamic()],
    "emotify": lambda: [
        emotify.answers().sort_values("track_id"),
        emotify.artists_of(None).sort_values("track_id", ignore_index=True),
    ],
    "4q": lambda: [
        table.reset_index()[["song", *kept]]
        for table, kept in zip(
            panda4q._tables(None, "moodsstrsplit"), (["quadrant"], ["artist", "moodsstrsplit"]), strict=True
        )
    ],
    "mtg_jamendo": lambda: [mtg_jamendo.annotations("test")],
    "vgmidi": lambda: [vgmidi.annotations()],
}


def replaced(text, file, old_new):
    """The table with one number of its middle row replaced."""
    rows = text.split("\n")
    i = len(rows) // 2
    divider = "\t" if file.endswith(".tsv") else ","
    cells = rows[i].split(divider)
    column = (
        4
        if file.endswith(".tsv")
        else len(cells) - (2 if cells[-1].strip() in ("", "30", '"Rock"', "1") else 1)
    )
    cells[column] = old_new
    rows[i] = divider.join(cells)
    return "\n".join(rows)


def reordered(text, file):
    head, *rows = text.rstrip("\n").split("\n")
    return "\n".join([head, *reversed(rows)]) + "\n"


def row_twice(text, file):
    rows = text.split("\n")
    return "\n".join([*rows[:3], rows[2], *rows[3:]])


def row_in_place_of_another(text, file):
    rows = text.split("\n")
    return "\n".join([*rows[:3], rows[2], *rows[4:]])


def latin_1(text, file):
    return text.encode("latin-1", errors="replace")


def spreadsheet(name):
    return lambda text, file: SPREADSHEETS[name](text)


def with_value(value):
    return lambda text, file: replaced(text, file, value)


# they say the same
HARMLESS = {
    **{name: spreadsheet(name) for name in SPREADSHEETS},
    "rows reordered": reordered,
    "tabs": lambda text, file: text.replace(", ", ",").replace(",", "\t"),
    "a blank line at the end": lambda text, file: text + "\n\r\n",
}
VALUES = ("nan", "NaN", "inf", "-inf", "1e999", "99", "-99", "abc", "0,5", "../../etc/passwd", "\x00")
# they cannot be read rightly
FATAL = {
    "empty": lambda text, file: "",
    "header only": lambda text, file: text.split("\n")[0] + "\n",
    "no header": lambda text, file: text.split("\n", 1)[1],
    "half": lambda text, file: text[: len(text) // 2],
    "without its last row": lambda text, file: text[: text.rstrip("\n").rindex("\n") + 1],
    "a row twice": row_twice,
    "a row in place of another": row_in_place_of_another,
    "UTF-16": lambda text, file: text.encode("utf-16"),
    "zeros": lambda text, file: b"\0" * len(text),
    "another file": lambda text, file: "\x89PNG\r\n\x1a\n" * 40,
    "a quotation mark": lambda text, file: text.replace(text.split("\n")[3], '"' + text.split("\n")[3]),
    **{repr(value): with_value(value) for value in VALUES},
}
FREE_TEXT = (pmemo.METADATA, deam.SONGS, emotify.ARTISTS, panda4q.METADATA)  # a name may be anything
NUMBERED = [name for name in FATAL if name[0] in "'\""]


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Complete copies of the data sets, with N rows a file."""
    for file, text in FILES.items():
        write_text(tmp_path / file, text)
    for quadrant in ("Q1", "Q2", "Q3", "Q4"):
        (tmp_path / "4q" / quadrant).mkdir()
    monkeypatch.setattr(paths, "data_root", lambda: tmp_path)
    monkeypatch.setattr(tables, "rows_of_complete", lambda name, file: ROWS[f"{name}/{file}"])
    return tmp_path


def damaged(copy, file, change):
    """What the reader makes of a changed copy: its tables, or the error."""
    made = change(FILES[file], file)
    (copy / file).write_bytes(made if isinstance(made, bytes) else made.encode())
    try:
        return READERS[file.partition("/")[0]]()
    except UserError as error:
        return error
    finally:
        write_text(copy / file, FILES[file])


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        key = [name for name in ("track_id", "song", "second") if name in other]
        one, other = (table.sort_values(key, ignore_index=True) for table in (one, other))
        pd.testing.assert_frame_equal(one, other)
    return True


def allowed(file, name):
    """Changes of a table that make no sense for it."""
    if name in ("blanks after commas", "tabs") and '"' in FILES[file]:
        return False  # a quotation mark ends a cell
    if name == "'99'" and file.endswith((".tsv", pmemo.METADATA)):
        return False  # a duration may be that
    if file.endswith((".tsv", ".txt")):
        return name not in ("tabs", "blanks after commas", "another column") and not (
            file.endswith(".txt")
            and (name in NUMBERED or name in ("header only", "no header", "rows reordered"))
        )
    if file.endswith(panda4q.ANNOTATIONS) or file.endswith(panda4q.METADATA):
        return name not in ("byte order mark and Windows line ends",) and not (
            name in NUMBERED and file.endswith(panda4q.METADATA)
        )
    if file.endswith(deam.DYNAMIC):
        return name != "another column"
    if file.endswith(emotify.ANSWERS) and name.startswith("a row"):
        return False  # a listener may answer as another did
    return not (name in NUMBERED and file.endswith(FREE_TEXT))


def cases(changes):
    return [(file, name) for file in FILES for name in changes if allowed(file, name)]


def drawn(every, n):
    return random.Random(0).sample(every, n)


def check_harmless(copy, file, name):
    expected = READERS[file.partition("/")[0]]()
    found = damaged(copy, file, HARMLESS[name])
    assert not isinstance(found, UserError) and same(found, expected), str(found)


def check_fatal(copy, file, name):
    found = damaged(copy, file, FATAL[name])
    assert isinstance(found, UserError), f"{file}: read in spite of: {name}"
    assert file.rpartition("/")[2] in str(found) and str(found).endswith((".", "?"))


@pytest.mark.parametrize("file, name", drawn(cases(HARMLESS), 20))
def test_a_table_saved_by_another_program_is_the_same_table(copy, file, name):
    check_harmless(copy, file, name)


@pytest.mark.parametrize("file, name", drawn(cases(FATAL), 40))
def test_a_damaged_table_is_refused_by_name(copy, file, name):
    check_fatal(copy, file, name)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_every_change_of_every_table(copy, file, record_property):
    record_property("cases", sum(own == file for own, _ in cases(HARMLESS) + cases(FATAL)))
    for own, name in cases(HARMLESS):
        if own == file:
            check_harmless(copy, file, name)
    for own, name in cases(FATAL):
        if own == file:
            check_fatal(copy, file, name)


def flipped(text, seed):
    """Bytes of the file changed, removed or doubled."""
    rng, made = np.random.default_rng(seed), bytearray(text.encode())
    for _ in range(rng.integers(1, 6)):
        i = int(rng.integers(len(made)))
        kind = rng.integers(3)
        if kind == 0:
            made[i] = int(rng.integers(256))
        elif kind == 1:
            del made[i : i + int(rng.integers(1, 9))]
        else:
            made[i:i] = made[i : i + int(rng.integers(1, 9))]
    return bytes(made)


def check_flipped(copy, file, seed):
    found = damaged(copy, file, lambda text, _: flipped(text, seed + zlib.crc32(file.encode())))
    if isinstance(found, UserError):
        return
    for table in found:  # another letter or digit makes another table, but never an impossible one
        for name in ("valence", "arousal", "valence_sd", "arousal_sd", "duration_s", "second"):
            if name in table:
                values = table[name].dropna()
                assert np.isfinite(values).all() and values.between(-1, 1e6).all()
        if "track_id" in table and "second" not in table and "amazement" not in table:
            assert table["track_id"].is_unique


@pytest.mark.parametrize("file", FILES)
def test_a_few_changed_bytes_never_make_an_impossible_table(copy, file, record_property):
    record_property("cases", 4)
    for seed in range(4):
        check_flipped(copy, file, seed)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_many_changed_bytes_never_make_an_impossible_table(copy, file, record_property):
    record_property("cases", 200)
    for seed in range(4, 204):
        check_flipped(copy, file, seed)


PIECE = {
    "pieces": {"p": {"midi": "a.mid", "duration": 4, "measures": 2}},
    "annotations": {"p_1": {"valence": [0.5, -0.5], "arousal": [0.1, 0.2]}},
}


IMPOSSIBLE = {
    "duration": ("NaN", "-4", "1e99", '"long"'),
    "measures": ("0", "2.5", "1000000000", "null"),
    "valence": ("[0.5]", "[0.5, NaN]", "[0.5, 99]", '"no"', "[[0.5], [1, 2]]"),
    "pieces": ("[]", "3", "[" * 100_000),
}


@pytest.mark.parametrize("name, value", [(name, value) for name, own in IMPOSSIBLE.items() for value in own])
def test_impossible_ratings_over_time_are_refused(copy, name, value):
    places = [PIECE, *PIECE["pieces"].values(), *PIECE["annotations"].values()]
    before = next(json.dumps(place[name]) for place in places if name in place)
    for file in vgmidi.RATINGS:
        write_text(
            copy / "vgmidi" / file, json.dumps(PIECE).replace(f'"{name}": {before}', f'"{name}": {value}')
        )
    with pytest.raises(UserError, match=r"vgmidi_raw_1\.json: is damaged.*Fetch it again"):
        vgmidi._pieces(copy / "vgmidi")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "track_id\na\n",
        "track_id,part\na,train\na,test\n",
        "track_id,part\na,nowhere\n",
        "track_id,part\nb,train\n",
    ],
)
def test_a_damaged_file_of_folds_is_refused(tmp_path, text):
    write_text(tmp_path / "x-by-artist.csv", text)
    table = pd.DataFrame({"track_id": ["a"], "group": ["a"], "tags": [("calm",)]})
    with pytest.raises(UserError, match=r"x-by-artist\.csv: .*Delete it to split anew"):
        splits.parts("x", table, ("calm",), tmp_path)


def test_a_registered_data_set_that_is_not_complete_is_refused_by_runs(corpus, monkeypatch):
    monkeypatch.setattr(datasets, "check", lambda tracks: [("tracks", 17, 16)])
    datasets.refuse_another_copy(f"{corpus.name}:n_songs=16", corpus)  # a part, as asked for
    with pytest.raises(UserError, match="tracks: expected 17, found 16.*`mer data"):
        datasets.refuse_another_copy(corpus.name, corpus)
