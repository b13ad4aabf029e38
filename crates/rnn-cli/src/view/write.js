// The model in the page: it goes on from what is typed.

const CONTINUATION = 300;

/** Random numbers in [0, 1) from a seed: mulberry32. */
function randomFrom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ID_OF = new Map();

/** The ids of a text, and the characters that the model does not know, which are left out. */
function encode(text) {
  if (data.bytes) return { ids: Array.from(new TextEncoder().encode(text)), unknown: [] };
  const ids = [], unknown = new Set();
  for (const symbol of text) {
    if (ID_OF.has(symbol)) ids.push(ID_OF.get(symbol));
    else unknown.add(symbol);
  }
  return { ids, unknown: [...unknown] };
}

function decode(ids) {
  return data.bytes ? new TextDecoder().decode(Uint8Array.from(ids)) : ids.map((id) => symbols[id]).join('');
}

/** The probabilities of what follows a text; null after none. */
function predict(text, temperature = 1) {
  const state = network.start();
  let logits = null;
  for (const id of encode(text).ids) logits = network.step(state, id);
  return logits && { state, p: probabilities(logits, temperature), logits };
}

/** The beginning of a line that holds nothing unseen: what is typed is shown as it is. */
function seen(line) {
  const all = Array.from(line).slice(0, 40), end = all.findIndex((c) => c !== ' ' && UNSEEN.test(c));
  return all.slice(0, end < 0 ? 40 : end).join('');
}

/** The ids of the `count` largest, the largest first; of equals the lower id. */
function largest(values, count) {
  const best = [];
  for (let id = 0; id < values.length; id++) {
    let place = best.length;
    while (place > 0 && values[id] > values[best[place - 1]]) place--;
    if (place >= count) continue;
    best.splice(place, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}

function showWriting() {
  symbols.forEach((symbol, id) => ID_OF.set(symbol, id));
  const newline = ID_OF.has('\n') ? '\n' : '';
  // The first line of the text that is more than a word's end.
  const lines = decode(data.ids.slice(0, 400)).split('\n').map(seen);
  const start = data.line_end === null ? lines.find((line) => line.trim().length > 3) ?? lines[0] : '';
  const typed = make('textarea', { id: 'typed', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', oninput: () => go(false) });
  typed.value = start;
  const temperature = make('input', { type: 'range', min: 0, max: 2, step: 0.05, value: 0.8, id: 'temperature', oninput: () => go(false) });
  const shown = make('span');
  const output = make('div', { class: 'text', id: 'written', tabindex: 0, role: 'region', 'aria-labelledby': 'written-label' });
  const note = make('p', { class: 'small soft', role: 'status' });
  const list = make('ul', { class: 'bars' }), title = make('h3', {}, 'What comes next'), after = make('p');
  const another = make('button', { type: 'button', id: 'another', onclick: () => { seed++; go(false); } }, 'Try again');
  const more = make('button', { type: 'button', id: 'more', onclick: () => go(true) }, 'Continue');
  panel('write').append(
    make('p', { class: 'soft' }, 'The model runs in this page, with all of its weights. It reads what you type and continues from there.'),
    make('div', { class: 'pane' },
      make('div', {}, make('label', {}, 'Start of the text', typed),
        make('div', { class: 'fields' }, make('label', {}, make('span', {}, 'Temperature ', shown), temperature), another, more),
        make('p', { class: 'label', id: 'written-label' }, 'What the model writes'), output, note),
      make('div', { class: 'card' }, title, after, list)));

  // What follows is unknown once a number has outgrown its type, which only weights lead to that no
  // sound training leaves: as rnn-cli sample, it ends there and says so.
  const isSound = (logits) => logits.every(Number.isFinite);
  const stop = () => { note.textContent = 'The network’s states overflow here: its weights are too large. Its training probably diverged.'; };
  let seed = 1, run = 0, written = [];
  function go(further) {
    const mine = ++run, heat = Number(temperature.value), random = randomFrom(seed + (further ? 7919 * written.length : 0));
    shown.textContent = `${heat.toFixed(2)}${heat === 0 ? ', always the likeliest' : heat < 0.7 ? ', cautious' : heat > 1.2 ? ', bold' : ''}`;
    after.textContent = `after the last character typed, at temperature ${heat.toFixed(2)}`;
    const { ids, unknown } = encode(typed.value);
    note.textContent = unknown.length ? `The model does not know ${unknown.slice(0, 8).map(glyph).join(' ')}${unknown.length > 8 ? ' …' : ''}, so it skips ${unknown.length > 1 ? 'them' : 'it'}.` : '';
    // As rnn-cli sample: with nothing to go on from, a line has just ended.
    const before = ids.length ? ids : encode(newline).ids.concat(newline ? [] : [0]);
    const state = network.start();
    if (!further) written = [];
    let logits;
    for (const id of before) logits = network.step(state, id);
    output.replaceChildren(visible(decode(ids)));
    more.disabled = true;
    if (!isSound(logits)) return refill(list, []), stop();
    const p = probabilities(logits, heat);
    refill(list, bars(largest(p, 8).map((id) => ({ label: glyph(symbols[id]), share: p[id], value: percent(p[id]) }))));
    for (const id of written) logits = network.step(state, id);
    const made = make('span', { class: 'made' }, visible(decode(written)));
    output.replaceChildren(visible(decode(ids)), made);
    const end = written.length + CONTINUATION;
    (function some() {
      if (mine !== run) return;
      const until = performance.now() + 12;
      while (written.length < end && isSound(logits) && performance.now() < until) {
        const p = probabilities(logits, heat);
        let left = random(), id = -1;
        for (let i = 0; i < p.length && left >= 0; i++) if (p[i] > 0) { id = i; left -= p[i]; }
        written.push(id);
        logits = network.step(state, id);
      }
      made.textContent = visible(decode(written));
      if (further) output.scrollTop = output.scrollHeight;
      if (!isSound(logits)) stop();
      else if (written.length < end) setTimeout(some, 16);
      else more.disabled = false;
    })();
  }
  go(false);
}
