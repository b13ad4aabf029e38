// The text as characters that can be coloured, pointed at and walked through; and the panel that
// colours them by surprise.

// Characters shown at once. Each is an element, and of a million a browser makes neither head nor tail.
const STRETCH = 20000;

/**
 * A pane of text, a stretch of it at a time. `look(i)` is called when character `i` is pointed at or
 * reached by a key, and returns what to say of it. The pane takes the keys, so that it is one stop
 * of the Tab key and not thousands.
 */
function textPane(label, look) {
  const hint = 'Arrow keys go from character to character, Home and End to the ends of the line.';
  const pane = make('div', { class: 'text', tabindex: 0, role: 'application', 'aria-label': `${label}. ${hint}` });
  let start = 0, spans = [], at = null, colour = () => '';
  function paint(i) {
    const span = spans[i - start];
    if (span) span.className = colour(i) + span.sign + (i === at ? ' here' : '');
  }
  function spanOf(i) {
    const symbol = symbols[data.ids[i]], shown = glyph(symbol);
    const isSign = shown !== symbol && symbol !== ' ';
    const span = make('span', {}, symbol === ' ' ? ' ' : symbol === '\n' ? '↵\n' : shown);
    span.index = i;
    span.sign = isSign ? ' sign' : '';
    return span;
  }
  const place = make('span', { class: 'small soft' });
  const turn = (by) => make('button', { type: 'button', onclick: () => show(start + by * STRETCH) }, by < 0 ? 'Earlier' : 'Later');
  const [earlier, later] = [turn(-1), turn(1)];
  /** Shows the stretch that begins at `from`. */
  function show(from) {
    start = from;
    spans = Array.from({ length: Math.min(STRETCH, length - start) }, (_, k) => spanOf(start + k));
    refill(pane, spans);
    pane.scrollTop = 0;
    for (let k = 0; k < spans.length; k++) paint(start + k);
    place.textContent = `characters ${thousands(start + 1)} to ${thousands(start + spans.length)} of ${thousands(length)}`;
    earlier.disabled = start === 0;
    later.disabled = start + STRETCH >= length;
  }
  function go(i, scroll) {
    const before = at;
    at = Math.max(0, Math.min(length - 1, i));
    if (at < start || at >= start + spans.length) show(at - (at % STRETCH));
    if (before !== null) paint(before);
    paint(at);
    if (scroll) {
      const { offsetTop: y, offsetHeight: h } = spans[at - start], top = y - pane.offsetTop;
      if (top < pane.scrollTop) pane.scrollTop = top - 8;
      else if (top + h > pane.scrollTop + pane.clientHeight) pane.scrollTop = top + h - pane.clientHeight + 8;
    }
    return look(at);
  }
  const lineStart = (i) => { while (i > 0 && symbols[data.ids[i - 1]] !== '\n') i--; return i; };
  const lineEnd = (i) => { while (i < length - 1 && symbols[data.ids[i]] !== '\n') i++; return i; };
  const steps = {
    ArrowRight: (i) => i + 1,
    ArrowLeft: (i) => i - 1,
    ArrowDown: (i) => Math.min(lineEnd(i) + 1 + i - lineStart(i), lineEnd(Math.min(lineEnd(i) + 1, length - 1))),
    ArrowUp: (i) => (lineStart(i) === 0 ? 0 : Math.min(lineStart(lineStart(i) - 1) + i - lineStart(i), lineStart(i) - 1)),
    Home: lineStart,
    End: lineEnd,
  };
  pane.addEventListener('keydown', (event) => {
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    speak(go(at === null ? 0 : step(at), true));
  });
  const point = (event) => { if (event.target.index !== undefined) go(event.target.index, false); };
  pane.addEventListener('pointerover', point);
  pane.addEventListener('click', point);
  show(0);
  return {
    pane: length > STRETCH ? [pane, make('div', { class: 'fields' }, earlier, later, place)] : pane,
    go,
    get at() { return at; },
    /** Colours character `i` with the class `of(i)`. */
    colour(of) {
      colour = of;
      for (let k = 0; k < spans.length; k++) paint(start + k);
    },
  };
}

// Surprise at which the colour is full; above it lies what came as good as out of nothing.
const FULL_SURPRISE = 8;

function showSurprise() {
  const nats = data.nats.map((n) => (n === null ? Infinity : n));
  // The first character of a running text is read only; of independent lines every one is predicted.
  const read = length - nats.length;
  const mean = nats.reduce((sum, n) => sum + n, 0) / (nats.length || 1);
  const title = make('h3'), facts = make('p'), list = make('ul', { class: 'bars' });
  function look(i) {
    const came = data.ids[i], symbol = symbols[came];
    title.replaceChildren('The model gave ', make('span', { class: 'mono' }, glyph(symbol)));
    if (i < read) {
      facts.textContent = 'the first character is read, not predicted';
      list.replaceChildren();
      return `${spoken(symbol)}, not predicted`;
    }
    const n = nats[i - read], p = Math.exp(-n);
    title.append(` a probability of ${percent(p)}`);
    facts.textContent = `${fixed(n, 4)} nats, ${fixed(n / Math.LN2, 2)} bits · character ${thousands(i + 1)}`;
    const rows = data.likeliest[i - read].map((id, k) => ({ id, p: data.probabilities[i - read][k] }));
    if (!rows.some((row) => row.id === came)) rows.push({ id: came, p });
    refill(list, bars(rows.map((row) => ({
      label: glyph(symbols[row.id]), share: row.p, value: percent(row.p), title: `probability ${row.p}`,
      kind: row.id === came ? 'came' : '',
    }))));
    const likely = data.likeliest[i - read].map((id, k) => `${spoken(symbols[id])} ${percent(data.probabilities[i - read][k])}`);
    return `${spoken(symbol)}, ${fixed(n, 2)} nats. Expected: ${likely.join(', ')}`;
  }
  const text = textPane('Text coloured by surprise', look);
  text.colour((i) => {
    const level = i < read ? 0 : Math.round(10 * Math.min(1, nats[i - read] / FULL_SURPRISE));
    return level ? `p l${level}` : '';
  });
  const scale = make('div', { class: 'scale', 'aria-hidden': 'true' }, make('i', { class: 'one' }),
    make('span', {}, make('span', {}, 'certain'), make('span', {}, `${FULL_SURPRISE} nats and more`)));
  panel('surprise').append(
    make('p', { class: 'soft' }, nats.length
      ? `How surprised the model was by each character, in nats: ${fixed(mean, 4)} on average (${fixed(mean / Math.LN2, 4)} bits), as uncertain as a choice among ${fixed(Math.exp(mean), 1)} equally likely characters (perplexity ${fixed(Math.exp(mean), 2)}). Point at a character, or tap it, to see what the model expected.`
      : 'The text has one character, so there is nothing to predict.'),
    make('div', { class: 'pane' }, make('div', {}, text.pane, scale),
      make('div', { class: 'card surprise-card' }, title, facts, make('p', {}, 'It expected:'), list)));
  // Something to see from the start: the strangest of the characters in sight.
  const first = nats.slice(0, 150);
  text.go(first.length ? read + first.indexOf(first.reduce((a, b) => Math.max(a, b))) : 0, false);
}
