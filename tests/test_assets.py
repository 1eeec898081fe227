"""Scripts of others: what is pinned, what is said where they cannot be had."""

import json
import subprocess
from pathlib import Path

import pytest

from mer_companion import folders
from mer_companion.book import web_assets
from mer_core import paths


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """Nothing fetched, nothing put, and no npm."""
    monkeypatch.setattr(web_assets, "FETCHED", tmp_path / "node_modules")
    monkeypatch.setattr(web_assets, "FOLDER", tmp_path / "_assets")
    monkeypatch.setattr(web_assets, "ASSETS", {"draws.js": tmp_path / "node_modules/draws/draws.js"})
    monkeypatch.setenv("PATH", "")
    return tmp_path


def test_message_without_npm_says_what_why_and_what_to_do(bare):
    said = web_assets.gather()
    assert "draws.js" in said and "no npm" in said and "build again" in said
    assert (bare / "_assets").is_dir()  # Sphinx warns about a static folder that is not there


def test_failed_fetch_says_what_npm_said(bare, monkeypatch):
    monkeypatch.setattr(web_assets.shutil, "which", lambda name: name)
    failed = subprocess.CompletedProcess([], 1, stderr="npm warn old\nnpm error code ENOTFOUND\n")
    monkeypatch.setattr(web_assets.subprocess, "run", lambda *args, **kwargs: failed)
    assert "npm error code ENOTFOUND" in web_assets.gather()


def test_assets_are_put_once_and_removed_when_gone(bare, monkeypatch):
    monkeypatch.setattr(web_assets, "is_fetched", lambda: True)
    (source := web_assets.ASSETS["draws.js"]).parent.mkdir(parents=True)
    source.write_text("draw()")
    assert web_assets.gather() is None
    before = (target := bare / "_assets/draws.js").stat().st_mtime_ns
    assert (
        web_assets.gather() is None and target.stat().st_mtime_ns == before and target.read_text() == "draw()"
    )
    source.unlink()
    assert "draws.js" in web_assets.gather() and not target.exists()


def test_fetched_means_what_the_lock_names(bare):
    assert not web_assets.is_fetched()
    web_assets.FETCHED.mkdir()
    packages = json.loads(web_assets.LOCK.read_text())["packages"]
    unpacked = {name: package for name, package in packages.items() if name}
    (web_assets.FETCHED / ".package-lock.json").write_text(json.dumps({"packages": unpacked}))
    assert not web_assets.is_fetched()  # npm can write that list without fetching anything
    for name in unpacked:
        (bare / name).mkdir(parents=True, exist_ok=True)
    assert web_assets.is_fetched()
    unpacked["node_modules/mathjax"]["integrity"] = "sha512-other"
    (web_assets.FETCHED / ".package-lock.json").write_text(json.dumps({"packages": unpacked}))
    assert not web_assets.is_fetched()


def test_packages_are_pinned_with_their_hashes_and_no_host():
    manifest = json.loads((folders.BOOK / "package.json").read_text())
    packages = json.loads(web_assets.LOCK.read_text())["packages"]
    pinned = manifest["dependencies"] | manifest["devDependencies"]
    locked = {
        name.removeprefix("node_modules/"): package["version"] for name, package in packages.items() if name
    }
    assert pinned.items() <= locked.items()  # those that these need are pinned there, too
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)
    assert "://" not in web_assets.LOCK.read_text()
    tracked = subprocess.run(
        ["git", "ls-files", "book"], cwd=paths.ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert not {Path(name).name for name in tracked.splitlines()} & {
        Path(name).name for name in web_assets.ASSETS
    }
