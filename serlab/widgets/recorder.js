// A microphone for one phrase: samples as they come, to the kernel, nowhere else.
// No library, no address: what is needed is in the browser.

const WORKLET = `
registerProcessor("samples", class extends AudioWorkletProcessor {
  process(inputs) {
    if (inputs[0].length) this.port.postMessage(inputs[0][0].slice());
    return true;
  }
});`;

// Seconds after which a recording ends by itself.
const LONGEST = 15;

// The browser is not to make speech louder, or cleaner, than it was.
const PROCESSING = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

function joined(chunks) {
  const samples = new Float32Array(chunks.reduce((n, chunk) => n + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    samples.set(chunk, at);
    at += chunk.length;
  }
  return samples;
}

async function listen(context, stream, hear) {
  const source = context.createMediaStreamSource(stream);
  if (context.audioWorklet) {
    const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    await context.audioWorklet.addModule(url);
    URL.revokeObjectURL(url);
    const node = new AudioWorkletNode(context, "samples", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = (event) => hear(event.data);
    source.connect(node);
    return;
  }
  const node = context.createScriptProcessor(4096, 1, 1); // older browsers
  node.onaudioprocess = (event) => hear(event.inputBuffer.getChannelData(0).slice());
  source.connect(node);
  node.connect(context.destination);
}

function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "jupyter-button widget-button serlab-record";
  button.textContent = "● Record";
  button.style.cssText = "width: 10em; margin-right: 1em";
  const level = document.createElement("meter");
  Object.assign(level, { min: 0, max: 1, low: 0.02, high: 0.95, optimum: 0.3, value: 0 });
  level.setAttribute("aria-label", "level of the microphone");
  level.style.width = "12em";
  const says = document.createElement("span");
  says.setAttribute("role", "status");
  says.style.marginLeft = "1em";
  el.append(button, level, says);

  let recording = null;

  async function start() {
    if (!navigator.mediaDevices) {
      says.textContent = "This page may not use a microphone: browsers allow it on https and on localhost only. " +
        "Choose a file below instead.";
      return;
    }
    button.disabled = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...PROCESSING } });
      const context = new AudioContext();
      await context.resume();
      recording = { stream, context, chunks: [], n: 0, stopping: false };
      await listen(context, stream, hear);
      button.textContent = "■ Stop";
      says.textContent = "recording";
    } catch (error) {
      await finish();
      says.textContent = error.name === "NotAllowedError"
        ? "The browser was told not to allow the microphone: allow it beside the address, or choose a file below."
        : error.name === "NotFoundError"
          ? "There is no microphone. Choose a file below instead."
          : `The microphone cannot be used (${error.message}). Choose a file below instead.`;
    } finally {
      button.disabled = false;
    }
  }

  function hear(chunk) {
    if (!recording || recording.stopping) return;
    recording.chunks.push(chunk);
    recording.n += chunk.length;
    level.value = chunk.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    const seconds = recording.n / recording.context.sampleRate;
    says.textContent = `recording, ${seconds.toFixed(0)} s`;
    if (seconds >= LONGEST) stop();
  }

  async function finish() {
    const done = recording;
    recording = null;
    button.textContent = "● Record";
    level.value = 0;
    if (done) {
      done.stream.getTracks().forEach((track) => track.stop());
      await done.context.close();
    }
    return done;
  }

  async function stop() {
    recording.stopping = true;
    const done = await finish();
    const samples = joined(done.chunks);
    says.textContent = `${(samples.length / done.context.sampleRate).toFixed(1)} s recorded`;
    model.send({ kind: "recording", rate: done.context.sampleRate }, undefined, [samples.buffer]);
  }

  button.addEventListener("click", () => (recording ? stop() : start()));
  return () => finish();
}

export default { render };
