// Analyses a song that the reader drops: decoded, turned into probabilities and drawn by this page alone; nothing leaves the machine.
(() => {
  const page = document.querySelector(".own-song");
  const [input, status, bar, result, template] = ["input", "[role=status]", "progress", ".result", "template"].map((name) =>
    page.querySelector(name),
  );
  const here = document.currentScript.src;
  const BLOCK = 16; // windows that the networks hear together; between two blocks the page shows how far it is
  const FLOOR = 1e-10; // mean square, below which a song gets no louder
  const USUAL_RATE = 44100; // Hz, taken for that of a file which does not tell
  const LONGEST_S = 1200; // a page decodes a song whole: this takes about a gigabyte of memory
  class Trouble extends Error {} // whose message is for the reader

  const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const breath = () => new Promise((done) => setTimeout(done));

  async function say(text, share) {
    status.textContent = text;
    bar.hidden = share === undefined;
    bar.value = share ?? 0;
    await breath();
  }

  const load = (name) =>
    new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL(name, here);
      script.onload = done;
      script.onerror = () => failed(new Trouble(
        "This copy of the book was built without the model for songs. Build it again (mer book), with npm and a network connection.",
      ));
      document.head.append(script);
    });

  const WEIGHTS = "quadrants.safetensors"; // the name by which the graph asks for them

  async function unpacked(name) {
    const text = window.packed[name]; // seven bits a character (`browser_model.as_text`)
    const bytes = new Uint8Array(Math.floor((7 * text.length) / 8));
    for (let i = 0, k = 0, bits = 0, held = 0; k < bytes.length; i++) {
      held = ((held << 7) | (text.charCodeAt(i) & 127)) & 0x7fff;
      bits += 7;
      if (bits >= 8) bytes[k++] = held >> (bits -= 8);
    }
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
  }

  let model, networks; // what is known of the networks, and the promise of a session that runs them, once a song was dropped
  async function facts() {
    if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
      throw new Trouble("This browser cannot run the networks: it lacks WebAssembly, or it is switched off. Use a newer one.");
    }
    await load("hearing/model.js");
    return (await unpacked("model.json")).json();
  }

  async function session() {
    await Promise.all(["hearing/ort.wasm.min.js", "hearing/runtime.js", "plotly.min.js"].map(load));
    const asUrl = async (name, type) => URL.createObjectURL(new Blob([await (await unpacked(name)).arrayBuffer()], { type }));
    ort.env.wasm.numThreads = 1; // more need a server that isolates the page
    ort.env.wasm.wasmPaths = {
      mjs: await asUrl("ort-wasm-simd-threaded.mjs", "text/javascript"),
      wasm: await asUrl("ort-wasm-simd-threaded.wasm", "application/wasm"),
    };
    const [graph, planes] = await Promise.all(
      ["quadrants.onnx", WEIGHTS].map(async (name) => new Uint8Array(await (await unpacked(name)).arrayBuffer())),
    );
    const half = planes.length / 2; // every first byte, then every second (`browser_model.in_planes`)
    const weights = Uint8Array.from(planes, (_, i) => planes[(i >> 1) + (i % 2) * half]);
    return ort.InferenceSession.create(graph, { externalData: [{ path: WEIGHTS, data: weights }] });
  }

  const lasts = (file) =>
    new Promise((done) => {
      const player = new Audio(URL.createObjectURL(file));
      const ends = (duration) => {
        URL.revokeObjectURL(player.src);
        done(duration);
      };
      player.onloadedmetadata = () => ends(player.duration);
      player.onerror = () => ends(0); // decoding will say why
    });

  // The sample rate that a file's header tells (wav, flac, ogg, mp3), in Hz, or undefined; browsers do not say.
  function ownRate(bytes) {
    if (bytes.byteLength < 64) return undefined;
    const view = new DataView(bytes);
    const word = (place) => String.fromCharCode(...new Uint8Array(bytes, place, 4));
    if (word(0) === "fLaC") return view.getUint32(18) >>> 12;
    if (word(0) === "OggS") return view.getUint8(28) === 1 ? view.getUint32(40, true) : 48000; // Vorbis; Opus has one rate
    if (word(0) === "RIFF") {
      for (let chunk = 12; chunk + 16 < view.byteLength; chunk += 8 + view.getUint32(chunk + 4, true)) {
        if (word(chunk) === "fmt ") return view.getUint32(chunk + 12, true);
      }
      return undefined;
    }
    const tag = word(0).startsWith("ID3") ? 10 + [6, 7, 8, 9].reduce((size, i) => 128 * size + view.getUint8(i), 0) : 0;
    const frame = tag + 4 <= view.byteLength ? view.getUint32(tag) : 0;
    const version = (frame >>> 19) & 3; // 3: MPEG 1; 2: MPEG 2, half the rates; 0: MPEG 2.5, a quarter
    const isMp3 = frame >>> 21 === 0x7ff && ((frame >>> 17) & 3) === 1; // of the same beginning is AAC, with 0
    return isMp3 ? [44100, 48000, 32000][(frame >>> 10) & 3] / { 3: 1, 2: 2, 0: 4 }[version] : undefined;
  }

  // One channel at the networks' sample rate, and the file's own where it is known.
  async function decoded(file) {
    const { spectrogram, shortest_s } = model;
    if ((await lasts(file)) > LONGEST_S) {
      throw new Trouble(`${file.name} lasts more than ${minutes(LONGEST_S)}, too long for a page. Try: mer predict.`);
    }
    const bytes = await file.arrayBuffer();
    const rate = ownRate(bytes);
    const sound = await at(rate ?? USUAL_RATE).decodeAudioData(bytes).catch(() => {
      throw new Trouble(`${file.name} cannot be decoded by this browser. Convert it to mp3, wav or flac.`);
    });
    if (sound.duration < shortest_s) {
      throw new Trouble(
        `${file.name} lasts ${sound.duration.toFixed(2)} s. The shortest possible input is ${shortest_s} s: choose a longer piece.`,
      );
    }
    return { rate, samples: await resampled(mixed(sound), sound.sampleRate, spectrogram.sample_rate) };
  }

  function at(rate) {
    try {
      return new OfflineAudioContext(1, 1, rate);
    } catch {
      return new OfflineAudioContext(1, 1, USUAL_RATE); // a rate that this browser does not bear: it resamples
    }
  }

  function mixed(sound) {
    const { length, numberOfChannels } = sound;
    const sum = new Float32Array(length);
    for (let channel = 0; channel < numberOfChannels; channel++) {
      const values = sound.getChannelData(channel);
      for (let i = 0; i < length; i++) sum[i] += values[i] / numberOfChannels;
    }
    return sum;
  }

  // Samples at another rate, as in Python: a sinc under a Kaiser window (`browser_model.LOW_PASS`), sampled around each of the
  // few places between two samples that new ones fall on. Browsers' own resampling is too rough for the highest mel bands.
  async function resampled(samples, from, to) {
    if (from === to) return samples;
    const { cutoff, beta, half_width } = model.low_pass;
    const share = Math.min(from, to) / from; // samples of the lower rate for each that is there
    const half = 2 * Math.ceil(half_width / share / 2); // of a kernel, whose length is then a multiple of four
    const common = divisor(from, to);
    const [step, places] = [from / common, to / common];
    const weight = (t) => {
      const inside = 1 - (t / half_width) ** 2;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * cutoff * t) / (Math.PI * cutoff * t);
      return inside < 0 ? 0 : (cutoff * sinc * besselI0(beta * Math.sqrt(inside))) / besselI0(beta);
    };
    const kernels = Array.from({ length: places }, (_, place) =>
      Float32Array.from({ length: 2 * half }, (_, i) => share * weight((place / places + half - 1 - i) * share)),
    );
    const padded = new Float32Array(samples.length + 4 * half);
    padded.set(samples, half - 1);
    const made = new Float32Array(Math.ceil((samples.length * places) / step));
    for (let n = 0; n < made.length; n++) {
      if (n % 2 ** 18 === 0) await say("Resampling …", n / made.length);
      const kernel = kernels[(n * step) % places];
      const first = Math.floor((n * step) / places);
      let sum = 0;
      for (let i = 0, k = first; i < kernel.length; i += 4, k += 4) {
        sum += kernel[i] * padded[k] + kernel[i + 1] * padded[k + 1] + kernel[i + 2] * padded[k + 2] + kernel[i + 3] * padded[k + 3];
      }
      made[n] = sum;
    }
    return made;
  }

  const divisor = (a, b) => (b ? divisor(b, a % b) : a);

  function besselI0(x) {
    let [sum, term] = [1, 1];
    for (let k = 1; term > 1e-17 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
    return sum;
  }

  // The input of an encoder: a song at the level of the training data, repeated if it is shorter than a window.
  function prepared(samples) {
    const { features, spectrogram, window_s, reach } = model;
    if (!reach) return samples;
    const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
    const gain = features.loudness_db === null ? 1 : 10 ** (features.loudness_db / 20) / Math.sqrt(Math.max(power, FLOOR));
    const length = Math.max(samples.length, Math.round(window_s * spectrogram.sample_rate));
    return Float32Array.from({ length }, (_, i) => gain * samples[i % samples.length]);
  }

  // As Python rounds: halves to the even number.
  const rounded = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

  // Probabilities of every window, block by block. A block begins one frame early: its own first frame has silence before it;
  // and an encoder's windows depend on some frames before and after them.
  async function analysed(song, running) {
    const { spectrogram, n_frames, reach, window_s, window_every_s, classes } = model;
    const frame = spectrogram.hop_samples * spectrogram.pool_frames; // samples from one frame to the next
    const every = (window_every_s * spectrogram.sample_rate) / frame;
    const samples = prepared(song);
    const all = Math.ceil((1 + Math.floor(samples.length / spectrogram.hop_samples)) / spectrogram.pool_frames);
    const n = Math.max(1, Math.floor((samples.length / spectrogram.sample_rate - window_s) / window_every_s + 1e-9) + 1);
    const starts = Array.from({ length: n }, (_, w) => rounded(w * every));
    const said = [];
    for (let w = 0; w < n; w += BLOCK) {
      await say("Analysing …", w / n);
      const own = starts.slice(w, w + BLOCK);
      const first = Math.max(0, own[0] - reach - 1);
      const piece = samples.slice(first * frame, (own.at(-1) + n_frames + reach) * frame);
      const frames = own.flatMap((start) => Array.from({ length: n_frames }, (_, i) => BigInt(((start + i) % all) - first)));
      const { probabilities } = await running.run({
        samples: new ort.Tensor("float32", piece, [1, piece.length]),
        frames: new ort.Tensor("int64", BigInt64Array.from(frames), [own.length, n_frames]),
      });
      for (let i = 0; i < own.length; i++) said.push([...probabilities.data.slice(i * classes.length, (i + 1) * classes.length)]);
    }
    return said;
  }

  function notes({ samples, rate }) {
    const { spectrogram, window_s, silence } = model;
    const seconds = samples.length / spectrogram.sample_rate;
    return [
      seconds < window_s && `It is shorter than the networks' input of ${window_s} s and was repeated; the prediction is less reliable.`,
      rate / 2 < 0.9 * spectrogram.high_hz &&
        `It has ${rate} samples a second, so nothing above ${rate / 2} Hz, unlike the training data. Use a better copy.`,
      samples.every((value) => Math.abs(value) < silence) && "It is silent: the prediction is meaningless.",
    ].filter(Boolean);
  }

  async function show(file, sound, said) {
    const { classes, words, high, figure, spectrogram, window_s, window_every_s } = model;
    const chance = (p, dimension) => p.reduce((sum, value, k) => sum + (high[dimension][k] ? value : 0), 0);
    const lines = [...classes.map((_, k) => (p) => p[k]), (p) => chance(p, "valence"), (p) => chance(p, "arousal")];
    const song = lines.map((value) => mean(said.map(value)));
    const called = song.indexOf(Math.max(...song.slice(0, classes.length)));
    const entropy = -song.slice(0, classes.length).reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
    const shown = template.content.cloneNode(true);
    const numbers = {
      name: file.name, length: minutes(sound.samples.length / spectrogram.sample_rate), called: `${words[called]} (${classes[called]})`,
      probability: song[called].toFixed(2), unsure: (entropy / Math.log(classes.length)).toFixed(2),
      valence: song.at(-2).toFixed(2), arousal: song.at(-1).toFixed(2), notes: notes(sound).join(" "),
      others: classes.map((name, k) => `${words[k]} (${name}) ${song[k].toFixed(2)}`).join(", "),
    };
    for (const place of shown.querySelectorAll("[data-number]")) place.textContent = numbers[place.dataset.number];
    const player = shown.querySelector("audio");
    player.src = URL.createObjectURL(file);
    const time = said.map((_, w) => w * window_every_s + window_s / 2);
    const data = figure.data.map((trace, k) => ({ ...trace, x: time, y: said.map(lines[k]) }));
    const plot = shown.querySelector(".plot");
    result.replaceChildren(shown);
    await explore.draw(plot, { data, layout: structuredClone(figure.layout) });
    result.dataset.windows = JSON.stringify(said); // for who wants to look closer
  }

  async function listen(file) {
    input.disabled = true;
    URL.revokeObjectURL(result.querySelector("audio")?.src); // of the song before
    result.replaceChildren();
    try {
      await say("Loading the networks, decoding the song …");
      model ??= await facts();
      networks ??= session().catch((error) => {
        networks = undefined; // the next song may try again
        throw error;
      });
      const [running, sound] = await Promise.all([networks, decoded(file)]);
      await show(file, sound, await analysed(sound.samples, running));
      await say(`${file.name}: done.`);
    } catch (error) {
      await say(error instanceof Trouble ? error.message : `${file.name} could not be analysed here (${error.message}).`);
    }
    input.disabled = false;
  }

  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = ""; // so that the same file may be chosen again
    if (file) listen(file);
  });
  document.addEventListener("dragover", (event) => event.preventDefault()); // a drop anywhere else would leave the page
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length && !input.disabled) listen(event.dataTransfer.files[0]);
  });
})();
