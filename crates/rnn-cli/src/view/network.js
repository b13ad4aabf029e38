// The network itself, from its own weights: one step at a time, in double precision.
//
//   Elman  h = tanh(U x + W h + b)            LSTM  c = f * c + i * g,  h = o * tanh(c)
//   GRU    h = (1 - z) * n + z * h            n = tanh(U_n x + b_in + r * (W_n h + b_hn))
//   minGRU h = (1 - z) * h + z * g            g = a + 1/2 where a >= 0, else sigmoid(a)

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

class Network {
  /** Weights lie in the order of the model's file; `weight_ih_l0` by characters, `[V, G*H]`. */
  constructor(weights) {
    const { hidden_size: hidden, vocab_size: vocab, num_layers } = config;
    let at = 0;
    const take = (count) => weights.subarray(at, (at += count));
    this.wide = data.cell.gates * hidden;
    const recurrent = data.cell.recurrent_gates * hidden;
    this.layers = Array.from({ length: num_layers }, (_, k) => ({
      w_ih: take((k === 0 ? vocab : hidden) * this.wide),
      w_hh: take(recurrent * hidden),
      b_ih: take(this.wide),
      b_hh: take(recurrent),
    }));
    this.decoder = take(vocab * hidden);
    this.decoderBias = take(vocab);
    this.fromInput = new Float64Array(this.wide);
    this.fromState = new Float64Array(recurrent);
  }

  /** The state before the first character, which a line end comes before if lines are independent. */
  start() {
    const zeros = () => new Float64Array(config.hidden_size);
    const state = this.layers.map(() => ({ h: zeros(), c: zeros(), gates: new Float64Array(this.wide) }));
    if (data.line_end !== null) this.step(state, data.line_end);
    return state;
  }

  /** Reads a character: changes the state and returns the logits of what follows. */
  step(state, id) {
    let input = null;
    if (id === data.line_end) for (const { h, c } of state) { h.fill(0); c.fill(0); }
    this.layers.forEach((layer, k) => {
      if (k === 0) {
        const row = layer.w_ih.subarray(id * this.wide, (id + 1) * this.wide);
        for (let i = 0; i < this.wide; i++) this.fromInput[i] = row[i] + layer.b_ih[i];
      } else {
        affine(layer.w_ih, layer.b_ih, input, this.fromInput);
      }
      affine(layer.w_hh, layer.b_hh, state[k].h, this.fromState);
      CELLS[config.cell](this.fromInput, this.fromState, state[k]);
      input = state[k].h;
    });
    const logits = new Float64Array(config.vocab_size);
    affine(this.decoder, this.decoderBias, input, logits);
    return logits;
  }
}

/** out = W x + b, `W` by rows; four rows at a time, so that their sums need not wait for each other. */
function affine(w, b, x, out) {
  const n = x.length, high = out.length;
  let i = 0, row = 0;
  for (; i + 4 <= high; i += 4, row += 4 * n) {
    let s0 = b[i], s1 = b[i + 1], s2 = b[i + 2], s3 = b[i + 3];
    for (let j = 0, at = row; j < n; j++, at++) {
      const v = x[j];
      s0 += w[at] * v;
      s1 += w[at + n] * v;
      s2 += w[at + 2 * n] * v;
      s3 += w[at + 3 * n] * v;
    }
    out[i] = s0; out[i + 1] = s1; out[i + 2] = s2; out[i + 3] = s3;
  }
  for (; i < high; i++, row += n) {
    let sum = b[i];
    for (let j = 0; j < n; j++) sum += w[row + j] * x[j];
    out[i] = sum;
  }
}

/** The new state from both sides' sums, gates in PyTorch's order. */
const CELLS = {
  rnn(a, b, { h }) {
    for (let j = 0; j < h.length; j++) h[j] = Math.tanh(a[j] + b[j]);
  },
  rnn_relu(a, b, { h }) {
    for (let j = 0; j < h.length; j++) h[j] = Math.max(0, a[j] + b[j]);
  },
  lstm(a, b, { h, c, gates }) {
    const n = h.length;
    for (let j = 0; j < n; j++) {
      const i = sigmoid(a[j] + b[j]), f = sigmoid(a[n + j] + b[n + j]);
      const g = Math.tanh(a[2 * n + j] + b[2 * n + j]), o = sigmoid(a[3 * n + j] + b[3 * n + j]);
      c[j] = f * c[j] + i * g;
      h[j] = o * Math.tanh(c[j]);
      gates[j] = i; gates[n + j] = f; gates[2 * n + j] = g; gates[3 * n + j] = o;
    }
  },
  gru(a, b, { h, gates }) {
    const m = h.length;
    for (let j = 0; j < m; j++) {
      const r = sigmoid(a[j] + b[j]), z = sigmoid(a[m + j] + b[m + j]);
      const n = Math.tanh(a[2 * m + j] + r * b[2 * m + j]);
      h[j] = (1 - z) * n + z * h[j];
      gates[j] = r; gates[m + j] = z; gates[2 * m + j] = n;
    }
  },
  mingru(a, _, { h, gates }) {
    const n = h.length;
    for (let j = 0; j < n; j++) {
      const z = sigmoid(a[j]), g = a[n + j] >= 0 ? a[n + j] + 0.5 : sigmoid(a[n + j]);
      h[j] = (1 - z) * h[j] + z * g;
      gates[j] = z; gates[n + j] = g;
    }
  },
};

/** softmax(logits / temperature); all on the likeliest at temperature 0. */
function probabilities(logits, temperature = 1) {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  if (temperature === 0) {
    const best = logits.indexOf(most);
    return logits.map((_, i) => (i === best ? 1 : 0));
  }
  const p = logits.map((o) => Math.exp((o - most) / temperature));
  const sum = p.reduce((a, b) => a + b, 0);
  return p.map((x) => x / sum);
}

/** The network of the page. */
let network;
