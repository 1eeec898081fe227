// Hears a song that the reader drops: decoded, turned into probabilities and drawn by this page alone; nothing leaves the machine.
(() => {
  const page = document.querySelector(".own-song");
  const [input, status, bar, result, template] = ["input", "[role=status]", "progress", ".result", "template"].map((name) =>
    page.querySelector(name),
  );
  const here = document.currentScript.src;
  const BLOCK = 32; // windows that the networks hear together; between two blocks the page shows how far it is
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
        "This copy of the book was built without what hears songs. Build it again (mer book), with npm and a network at hand.",
      ));
      document.head.append(script);
    });

  async function unpacked(name) {
    const text = atob(window.packed[name]);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
  }

  let model, networks; // what is known of the networks, and the promise of a session that runs them, once a song was dropped
  async function facts() {
    if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
      throw new Trouble("This browser cannot run the networks: it lacks WebAssembly, or has it switched off. Take a newer one.");
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
    return ort.InferenceSession.create(await (await unpacked("model.onnx")).arrayBuffer());
  }

  const lasts = (file) =>
    new Promise((done) => {
      const player = new Audio(URL.createObjectURL(file));
      player.onloadedmetadata = () => done(player.duration);
      player.onerror = () => done(0); // decoding will say why
    });

  // The sample rate that a file's header tells (wav, flac, ogg, mp3), in Hz; browsers do not.
  function ownRate(bytes) {
    const view = new DataView(bytes);
    const name = bytes.byteLength < 64 ? "" : String.fromCharCode(...new Uint8Array(bytes, 0, 4));
    if (name === "RIFF") return view.getUint32(24, true);
    if (name === "fLaC") return view.getUint32(18) >>> 12;
    if (name === "OggS") return view.getUint8(28) === 1 ? view.getUint32(40, true) : undefined; // Vorbis; Opus has one rate
    const tag = name.startsWith("ID3") ? [6, 7, 8, 9].reduce((size, i) => 128 * size + view.getUint8(i), 10) : 0;
    const frame = tag + 4 <= bytes.byteLength ? view.getUint32(tag) : 0;
    const version = (frame >>> 19) & 3; // 3: MPEG 1; 2: MPEG 2, half the rates; 0: MPEG 2.5, a quarter
    return frame >>> 21 === 0x7ff ? [44100, 48000, 32000][(frame >>> 10) & 3] / { 3: 1, 2: 2, 0: 4 }[version] : undefined;
  }

  // One channel at the networks' sample rate, and the file's own where it is known. A file of another rate is decoded at twice
  // theirs, low-passed, and every second sample kept: browsers' own resampling is too rough for the highest mel bands.
  async function decoded(file) {
    const { features, low_pass, shortest_s } = model;
    if ((await lasts(file)) > LONGEST_S) {
      throw new Trouble(`${file.name} lasts more than ${minutes(LONGEST_S)}, too long for a page. Try: mer predict.`);
    }
    const bytes = await file.arrayBuffer();
    const rate = ownRate(bytes);
    const asItIs = rate === features.sample_rate;
    const context = new OfflineAudioContext(1, 1, asItIs ? features.sample_rate : 2 * features.sample_rate);
    const sound = await context.decodeAudioData(bytes).catch(() => {
      throw new Trouble(`${file.name} cannot be decoded by this browser. Convert it to mp3, wav or flac.`);
    });
    if (sound.duration < shortest_s) {
      throw new Trouble(
        `${file.name} lasts ${sound.duration.toFixed(2)} s. An emotion takes at least ${shortest_s} s: choose a longer piece.`,
      );
    }
    const mono = mixed(sound);
    if (asItIs) return { rate, samples: mono.getChannelData(0) };
    const filtered = await convolved(mono, [...low_pass.slice(1).reverse(), ...low_pass]);
    const middle = low_pass.length - 1; // of the filter
    return { rate, samples: Float32Array.from({ length: Math.ceil(mono.length / 2) }, (_, i) => filtered[2 * i + middle]) };
  }

  function mixed(sound) {
    const { length, sampleRate, numberOfChannels } = sound;
    const mono = new AudioBuffer({ length, sampleRate });
    const sum = mono.getChannelData(0);
    for (let channel = 0; channel < numberOfChannels; channel++) {
      const values = sound.getChannelData(channel);
      for (let i = 0; i < length; i++) sum[i] += values[i] / numberOfChannels;
    }
    return mono;
  }

  async function convolved(sound, filter) {
    const { length, sampleRate } = sound;
    const context = new OfflineAudioContext(1, length + filter.length, sampleRate);
    const response = new AudioBuffer({ length: filter.length, sampleRate });
    response.copyToChannel(Float32Array.from(filter), 0);
    const source = new AudioBufferSourceNode(context, { buffer: sound });
    source.connect(new ConvolverNode(context, { buffer: response, disableNormalization: true })).connect(context.destination);
    source.start();
    return (await context.startRendering()).getChannelData(0);
  }

  // Probabilities of every window, block by block. A block begins one frame early: its own first frame has silence before it.
  async function heard(samples, running) {
    const { features, n_frames, window_s, window_every_s, classes } = model;
    const frame = features.hop_samples * features.pool_frames; // samples from one frame to the next
    const every = (window_every_s * features.sample_rate) / frame;
    const all = Math.ceil((1 + Math.floor(samples.length / features.hop_samples)) / features.pool_frames);
    const n = Math.max(1, Math.floor((samples.length / features.sample_rate - window_s) / window_every_s + 1e-9) + 1);
    const starts = Array.from({ length: n }, (_, w) => Math.round(w * every));
    const said = [];
    for (let w = 0; w < n; w += BLOCK) {
      await say("Listening …", w / n);
      const own = starts.slice(w, w + BLOCK);
      const first = Math.max(0, own[0] - 1);
      const piece = samples.slice(first * frame, (own.at(-1) + n_frames) * frame);
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
    const { features, window_s, silence } = model;
    const seconds = samples.length / features.sample_rate;
    return [
      seconds < window_s && `It lasts less than the ${window_s} s that the networks hear at a time: it was begun again. Trust it less.`,
      rate / 2 < 0.9 * features.high_hz &&
        `It has ${rate} samples a second, so nothing above ${rate / 2} Hz, which the networks are used to. Take a better copy.`,
      samples.every((value) => Math.abs(value) < silence) && "It is silent: what is said of it means nothing.",
    ].filter(Boolean);
  }

  async function show(file, sound, said) {
    const { classes, words, high, figure, features, window_s, window_every_s } = model;
    const chance = (p, dimension) => p.reduce((sum, value, k) => sum + (high[dimension][k] ? value : 0), 0);
    const lines = [...classes.map((_, k) => (p) => p[k]), (p) => chance(p, "valence"), (p) => chance(p, "arousal")];
    const song = lines.map((value) => mean(said.map(value)));
    const called = song.indexOf(Math.max(...song.slice(0, classes.length)));
    const entropy = -song.slice(0, classes.length).reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
    const shown = template.content.cloneNode(true);
    const numbers = {
      name: file.name, length: minutes(sound.samples.length / features.sample_rate), called: `${words[called]} (${classes[called]})`,
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
    result.replaceChildren();
    try {
      await say("Loading the networks, decoding the song …");
      model ??= await facts();
      networks ??= session().catch((error) => {
        networks = undefined; // the next song may try again
        throw error;
      });
      const [running, sound] = await Promise.all([networks, decoded(file)]);
      await show(file, sound, await heard(sound.samples, running));
      await say(`${file.name}: done.`);
    } catch (error) {
      await say(error instanceof Trouble ? error.message : `${file.name} could not be heard here (${error.message}).`);
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
