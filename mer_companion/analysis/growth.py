"""x"""
from pathlib import Path
from mer_companion import folders, provenance, results
def path() -> Path:
    return folders.RESULTS / "growth.json"
def write(rows: list[dict], to: Path) -> Path:
    """Write the table in place of the last one."""
    here = provenance.environment("cpu", 1) | {"processor": provenance.processor()}
    made = {"made": provenance.timestamp(), "code": provenance.code_state(), "environment": here}
    results.write_json(to, made | {"rows": rows})
    return to
