"""x"""
from pathlib import Path
from mer_companion import folders
def path() -> Path:
    return folders.RESULTS / "growth.json"
