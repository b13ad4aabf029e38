// How far the model remembers, and what training by truncated BPTT could not see.

const HUES = ['blue', 'green', 'purple', 'gold', 'grey'];

function showMemory() {
  const into = panel('memory'), { window, horizon, samples } = data.memory;
  // What is no number in the file was one too large for it: gradients may grow from step to step.
  const norms = (values) => values.map((norm) => norm ?? Infinity);
  const layers = data.memory.layers.map((layer) => ({ hidden: norms(layer.hidden), cell: norms(layer.cell), cut_off: layer.cut_off }));
  if (samples === 0 || layers[0].hidden.length < 2) {
    return into.append(make('p', { class: 'soft' }, 'The text is too short to measure how far the model remembers.'));
  }
  const xs = layers[0].hidden.map((_, k) => k);
  // A loss at place j of a window reaches j steps back: of W losses, W - k see a lag of k.
  const kept = (k) => (k >= window || (horizon !== null && k >= horizon) ? 0 : (window - k) / window);
  const reach = (norms, share) => {
    const k = norms.findIndex((norm) => norm < share * norms[0]);
    return k < 0 ? `more than ${norms.length - 1}` : String(k);
  };
  const top = layers.length - 1;
  const hidden = { name: layers.length > 1 ? `hidden state, layer ${top + 1}` : 'hidden state', hue: 'orange', values: layers[top].hidden };
  const series = [hidden];
  if (window !== null) {
    series.push({ name: 'as training sees it', hue: 'orange', dashed: true, values: layers[top].hidden.map((norm, k) => (kept(k) === 0 ? 0 : norm * kept(k))) });
  }
  layers.forEach((layer, k) => {
    const of = layers.length > 1 ? `, layer ${k + 1}` : '';
    const hue = () => HUES[series.length % HUES.length];
    if (k < top) series.push({ name: `hidden state${of}`, hue: hue(), values: layer.hidden });
    if (layer.cell.length) series.push({ name: `cell state${of}`, hue: hue(), values: layer.cell });
  });
  const text = `How much the loss at one character depends on the state k characters earlier: the norm of its gradient with respect to that state, averaged over ${thousands(samples)} places in the text. ` +
    `That of the hidden state${layers.length > 1 ? ' of the top layer' : ''} falls to a tenth after ${reach(hidden.values, 0.1)} characters and to a hundredth after ${reach(hidden.values, 0.01)}.`;
  into.append(make('p', { class: 'soft' }, text));
  if (window !== null) {
    const back = horizon !== null && horizon < window ? `at most ${thousands(horizon)} steps back` : `back to the start of a window of ${thousands(window)} characters`;
    into.append(make('p', { class: 'soft' }, `Training followed gradients ${back}, so it missed ${layers[top].cut_off === null ? 'an unknown part' : percent(layers[top].cut_off)} of the sum of these norms.`));
  }
  into.append(chart({
    name: 'Norm of the gradient by lag', x: 'characters back', y: 'norm', xs, series, log: true, height: 290,
    area: window === null ? null : [0, 1], area_note: window === null ? null : 'shaded: cut off',
  }));
}
