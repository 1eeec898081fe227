"""How labels are trusted: SSSL's loop, a noisy student, co-teaching. Numbers are the settings' defaults."""

import math

from mer_companion.diagrams.drawing import NARROW, WIDE, Box, Drawing, Grid
from mer_companion.diagrams.text import BODY, NOTE, TITLE
from mer_core.methods import noisy_student

CLEAN, NOISY = "clean", "noisy"
MARGIN = 14  # between a lane's edge and what is in it
TWO, THREE, FOUR = 54, 70, 86  # heights of boxes by their lines


def sssl(narrow: bool) -> Drawing:
    """Counterpart of SSSL's Figure 1: the loop over epochs, then the decision for songs."""
    drawing = Drawing(NARROW if narrow else WIDE)
    below = sssl_loop_narrow(drawing) if narrow else sssl_loop(drawing)
    sssl_song(drawing, below + 16, narrow)
    return drawing


FIRST_STEP = "**Step 1.** In every epoch after the warm-up"
WINDOWS = ("Training windows", "each has its song's label")
NETWORK = ("Network *f*", "predicts every window")
STEPS = ("Gradient steps", "*L* = *L*_{MIX} + *λL*_{KL}")


def sssl_loop(drawing: Drawing) -> float:
    lane = drawing.lane(Box(0, 0, drawing.w, 448), FIRST_STEP)
    grid = Grid(MARGIN, lane.w - 2 * MARGIN, 3, 44)
    windows = drawing.box(grid.cell(0, 36, TWO), *WINDOWS)
    network = drawing.box(grid.cell(0, 130, TWO), *NETWORK)
    mixture = two_gaussians(drawing, grid.cell(1, 36, 148, span=2))
    erased = ("*ω* < *τ*: label erased,", "replaced by sharpened *f*(*x*)")
    clean = drawing.box(grid.cell(1, 224, THREE), "Clean set *X*", "*ω* ≥ *τ*: keeps its label", kind=CLEAN)
    noisy = drawing.box(grid.cell(2, 224, THREE), "Noisy set *U*", *erased, kind=NOISY)
    mixup = drawing.box(grid.cell(1, 334, THREE), "mixup", "pairs from *X* and *U*", "blended: *L*_{MIX}")
    agree = drawing.box(grid.cell(2, 334, THREE), "R-Drop", "two dropout passes", "must agree: *L*_{KL}")
    steps = drawing.box(grid.cell(0, 334, THREE), *STEPS)
    drawing.arrow(windows.bottom, network.top)
    drawing.arrow(network.right, (mixture.x, network.right[1]))
    drawing.label((network.right[0] + 7, network.right[1] - 9), "loss *ℓ*", NOTE)
    both_sets(drawing, mixture, (clean, noisy), (mixup, agree))
    drawing.arrow(mixup.left, steps.right)
    under = agree.y + agree.h + 24
    drawing.arrow(agree.bottom, (agree.bottom[0], under), (steps.bottom[0], under), steps.bottom)
    drawing.arrow(steps.top, network.bottom)
    drawing.label((steps.top[0] + 10, 264), "next epoch", NOTE)
    return lane.y + lane.h


def sssl_loop_narrow(drawing: Drawing) -> float:
    lane = drawing.lane(Box(0, 0, drawing.w, 688), FIRST_STEP)
    grid = Grid(32, lane.w - 32 - MARGIN, 1, 0)
    pair = Grid(grid.x, grid.w, 2, 14)
    windows = drawing.box(grid.cell(0, 36, TWO), *WINDOWS)
    network = drawing.box(grid.cell(0, 118, TWO), *NETWORK)
    mixture = two_gaussians(drawing, grid.cell(0, 206, 140))
    erased = ("*ω* < *τ*: erased,", "replaced by", "sharpened *f*(*x*)")
    clean = drawing.box(pair.cell(0, 378, FOUR), "Clean set *X*", "*ω* ≥ *τ*:", "keeps its label", kind=CLEAN)
    noisy = drawing.box(pair.cell(1, 378, FOUR), "Noisy set *U*", *erased, kind=NOISY)
    mixup = drawing.box(pair.cell(0, 502, FOUR), "mixup", "pairs from", "*X* and *U*", "blended: *L*_{MIX}")
    agree = drawing.box(pair.cell(1, 502, FOUR), "R-Drop", "two dropout", "passes must", "agree: *L*_{KL}")
    steps = drawing.box(grid.cell(0, 620, TWO), *STEPS)
    drawing.flow([windows, network, mixture])
    drawing.label((network.bottom[0] + 10, network.y + network.h + 20), "loss *ℓ* of each window", NOTE)
    both_sets(drawing, mixture, (clean, noisy), (mixup, agree))
    for part in (mixup, agree):
        drawing.arrow(part.bottom, (part.bottom[0], steps.y))
    drawing.arrow(steps.left, (16, steps.left[1]), (16, network.left[1]), network.left)
    return lane.y + lane.h


def both_sets(drawing: Drawing, mixture: Box, sets: tuple[Box, Box], used: tuple[Box, Box]) -> None:
    """From the mixture to both sets, and from these to mixup (both) and R-Drop (the noisy one)."""
    (clean, noisy), (mixup, agree) = sets, used
    for part, kind in ((clean, CLEAN), (noisy, NOISY)):
        drawing.arrow((part.top[0], mixture.y + mixture.h), part.top, kind=kind)
    drawing.arrow(clean.at("bottom", 0.4), mixup.at("top", 0.4), kind=CLEAN)
    turn = (clean.y + clean.h + mixup.y) / 2
    start, end = noisy.at("bottom", 0.25), mixup.at("top", 0.8)
    drawing.arrow(start, (start[0], turn), (end[0], turn), end, kind=NOISY)
    drawing.arrow(noisy.at("bottom", 0.6), agree.at("top", 0.6), kind=NOISY)


GAUSSIANS = {CLEAN: (1.0, 0.235, 0.07), NOISY: (0.36, 0.765, 0.076)}  # height, mean, deviation: a sketch
SIZE_OF_LOSS = {CLEAN: "small", NOISY: "large"}


def two_gaussians(drawing: Drawing, box: Box) -> Box:
    """The mixture of losses, as a sketch: the smaller mean is that of the clean component."""
    drawing.frame(box)
    drawing.label((box.x + box.w / 2, box.y + 24), "Gaussian mixture (GMM) of losses", TITLE, "middle", box)
    floor, high, left, room = box.y + box.h - 26, box.h - 66, box.x + 12, box.w - 24
    for kind, (height, mean, deviation) in GAUSSIANS.items():
        sigmas = [i / 10 - 3 for i in range(61)]
        curve = [
            (left + (mean + z * deviation) * room, floor - high * height * math.exp(-z * z / 2))
            for z in sigmas
        ]
        drawing.path(curve, f"area {kind}")
        drawing.label((left + mean * room, floor + 16), f"{SIZE_OF_LOSS[kind]} loss", NOTE, "middle", box)
    drawing.path([(left, floor), (left + room, floor)], "rule")
    middle = left + room / 2
    drawing.path([(middle, floor), (middle, floor - 0.72 * high)], "rule dashed")
    drawing.label((middle, floor - 0.72 * high - 6), "*ω* = *τ*", NOTE, "middle", box)
    if room > 360:  # units: else the two losses leave no room
        drawing.label((middle, floor + 16), "*ω* = *p*(clean | *ℓ*)", NOTE, "middle", box)
    return box


SONG_STEPS = (
    ("Windows", "of one song"),
    ("Trained *f*", "*P*_{s}(*E*_{k}) of window *s*"),
    ("7*K* statistics", "max, min, quartiles,", "mean, share > *θ*"),
    ("SVM", "one emotion", "for the song"),
)


def sssl_song(drawing: Drawing, y: float, narrow: bool) -> None:
    """Step 2, from the windows of a song to its emotion."""
    if narrow:
        heights = [TWO if len(lines) == 2 else THREE for lines in SONG_STEPS]
        tops = [y + 36 + sum(heights[:i]) + 26 * i for i in range(len(heights))]
        places = [Box(32, *rest) for rest in zip(tops, [drawing.w - 32 - MARGIN] * 4, heights, strict=True)]
    else:
        widths, gap = (112, 176, 164, 128), 112 / 3
        lefts = [MARGIN + sum(widths[:i]) + gap * i for i in range(len(widths))]
        places = [Box(x, y + 36, w, THREE) for x, w in zip(lefts, widths, strict=True)]
    lowest = places[-1].y + places[-1].h
    drawing.lane(Box(0, y, drawing.w, lowest + MARGIN - y), "**Step 2.** Once, for every song")
    drawing.flow([drawing.box(place, *lines) for place, lines in zip(places, SONG_STEPS, strict=True)])


def student(narrow: bool) -> Drawing:
    """Mirable's noisy student: a teacher labels music for a student that learns under more noise."""
    return student_narrow() if narrow else student_wide()


def student_wide() -> Drawing:
    drawing = Drawing(WIDE)
    grid = Grid(0, WIDE, 3, 40)
    labelled = drawing.box(grid.cell(0, 0, TWO), "Labelled songs", "every tag known")
    teacher = drawing.box(grid.cell(0, 94, 74), *teacher_lines())
    unlabelled = drawing.box(grid.cell(0, 208, TWO), "Unlabelled songs", "no tag known")
    lane = pseudo_labels(drawing, grid.cell(1, 42, 178))
    taught = drawing.box(grid.cell(2, 77, 108), *student_lines())
    drawing.arrow(labelled.bottom, teacher.top)
    drawing.arrow(unlabelled.top, teacher.bottom)
    drawing.arrow(teacher.right, (lane.x, teacher.right[1]))
    drawing.label((teacher.right[0] + 14, teacher.right[1] - 9), "*p*", NOTE)
    drawing.arrow((lane.x + lane.w, taught.left[1]), taught.left)
    across = labelled.y + 19
    drawing.arrow((labelled.right[0], across), (taught.top[0], across), taught.top)
    drawing.label((lane.x + 12, across - 7), "and their labels", NOTE)
    return drawing


def student_narrow() -> Drawing:
    drawing = Drawing(NARROW)
    grid, pair = Grid(0, NARROW, 1, 0), Grid(0, NARROW, 2, 16)
    labelled = drawing.box(pair.cell(0, 0, 36), "Labelled songs")
    unlabelled = drawing.box(pair.cell(1, 0, 36), "Unlabelled")
    teacher = drawing.box(grid.cell(0, 72, THREE), *teacher_lines())
    lane = pseudo_labels(drawing, grid.cell(0, 186, 178))
    taught = drawing.box(grid.cell(0, 408, 108), *student_lines())
    for songs in (labelled, unlabelled):
        drawing.arrow(songs.bottom, (songs.bottom[0], teacher.y))
    drawing.flow([teacher, lane, taught])
    drawing.label((teacher.bottom[0] + 10, teacher.y + teacher.h + 26), "predictions *p*", NOTE)
    drawing.label((lane.bottom[0] + 10, lane.y + lane.h + 25), "and the labelled songs", NOTE)
    return drawing


def teacher_lines() -> tuple[str, ...]:
    known = noisy_student.Settings()
    return "Teacher", "learns from labels", f"masks up to {known.teacher_masks[1]:g} bands or steps"


def student_lines() -> tuple[str, ...]:
    known = noisy_student.Settings()
    return (
        "Student",
        f"masks up to {known.student_masks[1]:g} bands or steps",
        f"Gaussian noise, weight {known.noise:g}",
        f"dropout {known.block_dropout:g}",
        f"blocks skipped: {known.stochastic_depth:g}",
    )


def pseudo_labels(drawing: Drawing, box: Box) -> Box:
    """Which of the teacher's predictions count, and as what."""
    known, lane = noisy_student.Settings(), drawing.lane(box, "**Pseudo-labels**, tag by tag")
    rules = (
        (CLEAN, f"*p* > {known.positive:g}", "tag is present: 1"),
        (CLEAN, f"*p* < 10{superscript(round(math.log10(known.negative)))}", "tag is absent: 0"),
        (NOISY, "else", "left out of the loss"),
    )
    for i, (kind, rule, what) in enumerate(rules):
        place = drawing.frame(Box(box.x + 10, box.y + 34 + i * 47, box.w - 20, 40), kind)
        drawing.label((place.x + 12, place.y + 24.5), rule, BODY, inside=place)
        drawing.label((place.x + place.w - 12, place.y + 24.5), what, BODY, "end", inside=place)
    return lane


def superscript(number: int) -> str:
    """An exponent in Unicode.

    >>> superscript(-6)
    '⁻⁶'
    """
    return str(number).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


LOSSES = {  # of a sketched batch of ten; how many are left out is drawn larger than the papers have it
    "f": (0.12, 0.18, 0.22, 0.25, 0.32, 0.40, 0.50, 0.60, 0.82, 0.95),
    "g": (0.13, 0.16, 0.20, 0.28, 0.30, 0.40, 0.45, 0.55, 0.90, 0.97),
}
LEFT_OUT = 2


def exchange(narrow: bool) -> Drawing:
    """Counterpart of SELAB's Figure 1: each network picks the windows that the other one learns from."""
    drawing = Drawing(NARROW if narrow else WIDE)
    grid, height = Grid(0, drawing.w, *((2, 36) if narrow else (3, 62))), 96
    right, below = grid.n - 1, 268 if narrow else 232
    lines = ("takes a step on", "what {} picked")
    f = drawing.box(
        grid.cell(0, 0, height), "Network *f*", "EfficientNet-B0", lines[0], lines[1].format("*g*")
    )
    g = drawing.box(
        grid.cell(right, below, height), "Network *g*", "ReXNet-100", lines[0], lines[1].format("*f*")
    )
    of_f = picks(drawing, grid.cell(right, 0, height), LOSSES["f"], "*f* picks for *g*")
    of_g = picks(drawing, grid.cell(0, below, height), LOSSES["g"], "*g* picks for *f*")
    w, middle = 184, (below + height) / 2
    place = Box((drawing.w - w) / 2, middle - TWO / 2, w, TWO)
    batch = drawing.box(place, "Mini-batch", "windows with labels")
    outside, inside = (0.12, 0.82) if narrow else (0.3, 0.7)  # where arrows dock, seen from f's outer edge
    drawing.flow([f, of_f])
    drawing.flow([g, of_g])
    drawing.arrow(of_f.at("bottom", 1 - outside), g.at("top", 1 - outside), kind=CLEAN)
    drawing.arrow(of_g.at("top", outside), f.at("bottom", outside), kind=CLEAN)
    to_f, to_g = f.at("bottom", inside), g.at("top", 1 - inside)
    if narrow:
        drawing.arrow((to_f[0], batch.y), to_f)
        drawing.arrow((to_g[0], batch.y + batch.h), to_g)
    else:
        drawing.arrow(batch.left, (to_f[0], middle), to_f)
        drawing.arrow(batch.right, (to_g[0], middle), to_g)
        for one in (f, g):
            drawing.label((drawing.w / 2, one.left[1] - 9), "loss of every window", NOTE, "middle")
    return drawing


def picks(drawing: Drawing, box: Box, losses: tuple[float, ...], title: str) -> Box:
    """The losses of a batch in ascending order: small ones are handed over, large ones are left out."""
    drawing.frame(box)
    drawing.label((box.x + box.w / 2, box.y + 20), title, TITLE, "middle", box)
    floor, room, left = box.y + box.h - 24, 40, box.x + 16
    step, kept = (box.w - 32) / len(losses), len(losses) - LEFT_OUT
    for i, loss in enumerate(losses):
        bar = Box(left + i * step + 1.5, floor - room * loss, step - 3, room * loss)
        drawing.rect(bar, f"bar {CLEAN if i < kept else NOISY}", 1.5)
    drawing.path([(left - 2, floor), (box.x + box.w - 14, floor)], "rule")
    drawing.label((left + kept * step / 2, floor + 15), "small loss", NOTE, "middle", box)
    drawing.label((box.x + box.w - 10, floor + 15), "left out", NOTE, "end", box)
    return box
