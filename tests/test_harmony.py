import numpy as np
import pytest
from conftest import RATE, tone

from mer_companion.song_features import harmony

KINDS = list(harmony.CHORDS)


def chord(*semitones, seconds=4.0, lowest=220.0):
    """Sines at these semitones above A3."""
    return sum(tone(lowest * 2 ** (step / 12), seconds, 0.15) for step in semitones)


def chroma_of(samples):
    return harmony.folded(harmony.notes(samples, RATE), harmony.REGISTERS["all"])


def test_chords_are_found_as_their_kind_on_any_root():
    for name in ("major", "minor", "diminished", "augmented"):
        for root in (0, 5):
            chroma = chroma_of(chord(*(root + step for step in harmony.CHORDS[name])))
            fit = np.einsum("krp,p->kr", harmony.TEMPLATES, harmony.unit(chroma.mean(axis=1)))
            kind, found_root = np.unravel_index(fit.argmax(), fit.shape)
            assert KINDS[kind] == name and (name == "augmented" or found_root == root)


def test_harmony_is_the_same_in_any_key_but_not_in_any_mode():
    chords = (0, 4, 7), (3, 7, 10), (0, 3, 7)
    major, higher, minor = (harmony.as_a_whole(chroma_of(chord(*steps))) for steps in chords)
    np.testing.assert_allclose(major, higher, atol=0.15)
    mode = 6 + 1 + 2  # behind six waves, the entropy and both fits: major minus minor
    assert major[mode] > 0 > minor[mode]


def test_registers_hold_the_notes_between_their_ends():
    heard = np.zeros((harmony.N_NOTES, 1))
    heard[[0, 12, 40]] = 1  # A1, A2, and a C sharp in the middle
    bass, middle = (harmony.folded(heard, harmony.REGISTERS[name])[:, 0] for name in ("bass", "middle"))
    assert bass[0] == 2 and bass.sum() == 2
    assert middle[0] == 1 and middle[4] == 1 and middle.sum() == 2


def test_chords_that_change_are_counted():
    still, moving = chord(0, 4, 7, seconds=8.0), np.concatenate([chord(0, 4, 7), chord(5, 9, 12)])
    same, other = chroma_of(still), chroma_of(moving)
    n_changes, n_chords = harmony.along(same, 11)[-2:]
    assert n_changes == 0 and n_chords == 1
    n_changes, n_chords = harmony.along(other, 11)[-2:]
    assert n_changes > 0 and n_chords >= 2


@pytest.mark.filterwarnings("ignore:n_fft")
@pytest.mark.parametrize("seconds", [0.3, 2.0])
def test_silence_and_short_sounds_give_numbers(seconds):
    for samples in (np.zeros(int(seconds * RATE), dtype=np.float32), chord(0, 4, 7, seconds=seconds)):
        assert np.isfinite(harmony.features(samples, RATE)).all()
