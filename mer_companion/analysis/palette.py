"""The colours and markers of figures and pages, each with one meaning; colour-blind safe."""

import seaborn as sns

PALETTE = sns.color_palette("colorblind")
CLEAN, NOISY = PALETTE[0], PALETTE[1]
BETTER, WORSE = PALETTE[0], PALETTE[3]  # than a reference
OURS, PRINTED = PALETTE[0], PALETTE[1]
NEUTRAL, GRID = "0.45", "0.92"  # greys
MARKERS = "osD^vP*X"
METHODS = {  # colour and marker of a method wherever methods are compared
    "inherit": ("0.25", "o"),
    "self_learning": (PALETTE[0], "s"),
    "mixture_per_class": (PALETTE[9], "D"),
    "every_label_trusted": (PALETTE[2], "^"),
    "drop": (PALETTE[5], "v"),
    "weight": (PALETTE[4], "P"),
    "elr": (PALETTE[3], "*"),
    "co_teaching": (PALETTE[1], "X"),
    "generalised_cross_entropy": (PALETTE[6], "o"),
    "symmetric_cross_entropy": (PALETTE[8], "s"),
    "forward_correction": (PALETTE[7], "D"),
    "mean_teacher": (PALETTE[4], "^"),
    "mixmatch": (PALETTE[5], "X"),
    "dividemix": (PALETTE[3], "v"),
}
VERDICTS = {  # class of a verdict's mark on a page: its colour on light and on dark pages
    "supported": ("#00694a", "#4fd0a5"),
    "contradicted": ("#a64300", "#ff9a5c"),
    "inconclusive": ("#50565e", "#b9c0c8"),
    "untestable": ("#50565e", "#b9c0c8"),
}


def of_method(label: str) -> tuple:
    """Colour and marker of the method that a run's label begins with, the longest that fits.

    Raises
    ------
    KeyError : no method has a colour that the label begins with
    """
    fitting = [name for name in METHODS if label == name or label.startswith(f"{name}_")]
    if not fitting:
        raise KeyError(f"{label}: give its method a colour in palette.METHODS")
    return METHODS[max(fitting, key=len)]


def css() -> str:
    """The verdicts' colours as variables of a page's style."""
    light, dark = (
        "".join(f"--{name}:{colours[theme]};" for name, colours in VERDICTS.items()) for theme in (0, 1)
    )
    return f':root{{{light}}}html[data-theme="dark"]{{{dark}}}\n'
