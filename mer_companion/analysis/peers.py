"""Other released tools beside the model that ships, on the songs of 4Q."""

import pandas as pd

from mer_core import paths

TABLE = paths.DATA / "peers" / "vibenet_4q.csv"  # written by benchmarks.vibenet_on_4q


def areas_under_curve() -> pd.DataFrame:
    """Area under the ROC curve of each tool for high valence and high arousal, with its 95 % interval."""
    table = pd.read_csv(TABLE)
    spoken = [f"{row.auc:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in table.itertuples()]
    found = table.assign(spoken=spoken).pivot(index="tool", columns="target", values="spoken")
    return found[["valence", "arousal"]].rename(columns="{} (ROC-AUC)".format).reset_index()
