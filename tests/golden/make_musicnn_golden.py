"""Golden values of MusiCNN: what the original, in TensorFlow, says of two synthetic signals.

Made once, in an environment of its own (musicnn 0.1.0 pins a NumPy of 2018, hence --no-deps):

    pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0 librosa==0.11.0
    pip install --no-deps musicnn==0.1.0
    TF_USE_LEGACY_KERAS=1 python tests/golden/make_musicnn_golden.py

The released `musicnn.extractor.batch_data` makes the mel values float16, where 10,000 times most music is
infinite and every answer is NaN. Here they stay float32, as the networks were trained; all else is the
original's code.
"""

from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("musicnn.npz")
MODELS = ("MSD_musicnn", "MTT_musicnn")
RATE, FRAMES = 16_000, 187
OUTPUTS = ("tags", "penultimate", "mean_pool", "max_pool")


def signals() -> dict[str, np.ndarray]:
    """Three seconds each, 16 kHz float32, the same on every machine: decaying chords and bursts of noise."""
    t = np.arange(3 * RATE) / RATE
    roots = np.repeat([220.0, 293.665, 329.628, 246.942, 220.0, 440.0], RATE // 2)  # Hz, half a second each
    phase = 2 * np.pi * np.cumsum(roots) / RATE
    notes = sum(np.sin(ratio * n * phase) / n**2 for ratio in (1, 1.25, 1.5) for n in range(1, 9))
    number = np.arange(len(t), dtype=np.uint64)
    noise = (number * number * 40_503 + number * 7919) % 65_537 / 32_768 - 1  # pseudo-random
    bursts = noise * np.exp(-12 * (t % 0.25)) + 0.05 * np.sin(2 * np.pi * 55 * t)
    named = {"chords": 0.1 * notes * np.exp(-4 * (t % 0.5)), "bursts": 0.3 * bursts}
    return {name: samples.astype(np.float32) for name, samples in named.items()}


def mel(samples: np.ndarray) -> np.ndarray:
    """(187, 96): `musicnn.extractor.batch_data` in float32."""
    import librosa

    power = librosa.feature.melspectrogram(y=samples, sr=RATE, hop_length=256, n_fft=512, n_mels=96).T
    return np.log10(10_000 * power.astype(np.float32) + 1)[:FRAMES]


def answers(model: str, batch: np.ndarray) -> dict[str, np.ndarray]:
    """What the released network says of (n, 187, 96) frames; after `musicnn.extractor.extractor`."""
    import tensorflow as tf
    from musicnn import configuration, models

    tf.compat.v1.disable_eager_execution()
    tf.compat.v1.reset_default_graph()
    x = tf.compat.v1.placeholder(tf.float32, [None, FRAMES, configuration.N_MELS])
    training = tf.compat.v1.placeholder(tf.bool)
    logits, *_, mean_pool, max_pool, penultimate = models.define_model(x, training, model, 50)
    with tf.compat.v1.Session() as session:
        tf.compat.v1.train.Saver().restore(session, f"{Path(models.__file__).parent / model}/")
        wanted = [tf.nn.sigmoid(logits), penultimate, mean_pool, max_pool]
        return dict(zip(OUTPUTS, session.run(wanted, {x: batch, training: False}), strict=True))


def main() -> None:
    """Write the golden values: for each model and output an array, a row for each signal."""
    batch = np.stack([mel(samples) for samples in signals().values()])
    golden = {f"{model}_{name}": rows for model in MODELS for name, rows in answers(model, batch).items()}
    np.savez_compressed(GOLDEN, **golden)
    print(GOLDEN, {name: rows.shape for name, rows in golden.items()})


if __name__ == "__main__":
    main()
