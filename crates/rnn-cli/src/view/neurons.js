// The text coloured by a unit's activation, the units that follow a property, and a map of all.

const IS_GATE = (signal) => data.cell.signals[signal].bounds === 'gate';
/** Activations that are computed at once; of longer texts only the layer and signal that is looked at. */
const AT_ONCE = 2e7;
/** Most rows that are painted, three to a row of pixels; browsers end at some ten thousand. */
const MOST_ROWS = 1260;

// What the page has computed, by `layer/unit/signal`: the activations over the text, and the bound that
// their colours are scaled to.
let computed = new Map();

/** The bound of a signal: 1 by its nature, or else the largest value in this text. */
function boundOf(signal, values) {
  return data.cell.signals[signal].bounds === 'none' ? Math.max(Number.MIN_VALUE, extent(values.map(Math.abs))[1]) : 1;
}

/** The class that colours such a share. */
function level(v) {
  const step = Math.round(10 * Math.abs(v));
  return step === 0 ? '' : `${v > 0 ? 'p' : 'n'} l${step}`;
}

/** Reads the text with the network and keeps these signals of these layers; calls `tell` on the way. */
function replay(layers, signals, tell, done) {
  const hidden = config.hidden_size, state = network.start();
  const parts = layers.flatMap((layer) => signals.map((signal) => {
    const { h, c, gates } = state[layer], { place } = data.cell.signals[signal];
    const now = { h, c }[place] ?? gates.subarray(place * hidden, (place + 1) * hidden);
    return { layer, signal, now, all: new Float32Array(length * hidden) };
  }));
  let t = 0, told = -1;
  (function some() {
    const until = performance.now() + 24;
    while (t < length && performance.now() < until) {
      network.step(state, data.ids[t]);
      for (const { now, all } of parts) {
        for (let u = 0; u < hidden; u++) all[u * length + t] = now[u];
      }
      t++;
    }
    // A new word lays the whole page out again, which a long text makes slow.
    const percents = Math.floor((100 * t) / length);
    if (percents !== told) tell((told = percents));
    if (t < length) return void setTimeout(some);
    computed = new Map(parts.flatMap(({ layer, signal, all }) => Array.from({ length: hidden }, (_, u) => {
      const values = all.subarray(u * length, (u + 1) * length);
      return [`${layer}/${u}/${signal}`, { values, bound: boundOf(signal, values) }];
    })));
    done();
  })();
}

function showNeurons() {
  const properties = [...new Set(data.follows.map((follow) => follow.property))];
  const hidden = config.hidden_size;
  const chosen = { property: 0, layer: config.num_layers - 1, signal: 0, unit: 0 };
  // The property that some unit follows most closely comes first.
  const closest = (name) => extent(data.follows
    .filter((follow) => follow.property === name && follow.layer === chosen.layer && follow.signal === data.signals[0])
    .flatMap((follow) => follow.r.map((r) => Math.abs(r ?? 0))))[1];
  chosen.property = properties.map(closest).reduce((best, r, i, all) => (r > all[best] ? i : best), 0);
  const signal = () => data.signals[chosen.signal];
  const trace = (unit) => computed.get(`${chosen.layer}/${unit}/${signal()}`);
  const r = () => data.follows.find((follow) =>
    follow.property === properties[chosen.property] && follow.layer === chosen.layer && follow.signal === signal()).r;

  const title = make('h3'), facts = make('p'), list = make('ul', { class: 'bars' }), status = make('p', { class: 'small soft' });
  const scale = make('div', { class: 'scale', 'aria-hidden': 'true' });
  const text = textPane('Text coloured by the unit’s activation', look);
  const property = dropDown('Property', properties, (i) => { chosen.property = i; rank(); });
  const layer = dropDown('Layer', Array.from({ length: config.num_layers }, (_, k) => `${k + 1}`), (i) => { chosen.layer = i; rank(); provide(); });
  const signals = dropDown('Signal', data.signals, (i) => { chosen.signal = i; rank(chosen.unit); provide(); });
  property.list.selectedIndex = chosen.property;
  layer.list.selectedIndex = chosen.layer;
  const unit = make('input', { type: 'number', min: 0, max: hidden - 1, id: 'unit', onchange: () => { choose(Math.trunc(Number(unit.value)) || 0); provide(); } });
  const fields = make('div', { class: 'fields' }, property.field, config.num_layers > 1 ? layer.field : [],
    data.signals.length > 1 ? signals.field : [], make('label', {}, 'Unit', unit));
  const map = heatMap((row, i) => { choose(rows[row]); text.go(i, true); });
  panel('neurons').append(
    make('p', { class: 'soft' }, 'The activation of one unit after each character. The list shows the units that follow a property of the text most closely, by Pearson’s correlation r; choose one of them, or enter a number.'),
    fields,
    make('div', { class: 'pane' }, make('div', {}, text.pane, scale), make('div', { class: 'card' }, title, facts, list, status)),
    map.figure);
  const isShort = length * hidden * config.num_layers * data.signals.length <= AT_ONCE;
  let rows = [], isReading = false;

  /** Has the network read the text, unless it has. */
  function provide() {
    if (isReading || trace(0)) return;
    isReading = true;
    panel('neurons').setAttribute('aria-busy', true);
    const [layers, names] = isShort ? [Array.from({ length: config.num_layers }, (_, k) => k), data.signals] : [[chosen.layer], [signal()]];
    replay(layers, names, (percents) => { status.textContent = `Reading the text: ${percents} %`; }, () => {
      isReading = false;
      panel('neurons').setAttribute('aria-busy', false);
      rank(chosen.unit);
      // Another signal may have been chosen meanwhile.
      provide();
    });
  }
  /** Lists the closest followers and shows a unit, without one the closest. */
  function rank(shown) {
    const of = r(), units = Array.from({ length: hidden }, (_, u) => u);
    rows = units.slice().sort((a, b) => (of[b] ?? -2) - (of[a] ?? -2) || a - b);
    map.fill(trace(0) ? rows.map(trace) : [], `${signal()} of layer ${chosen.layer + 1}, ordered by correlation with ${properties[chosen.property]}`);
    const best = units.filter((u) => of[u] !== null).sort((a, b) => Math.abs(of[b]) - Math.abs(of[a]) || a - b).slice(0, 8);
    refill(list, best.map((u) => make('li', { style: 'display:block' },
      make('button', { type: 'button', class: of[u] < 0 ? 'neg' : 'pos', onclick: () => choose(u) },
        make('span', {}, `unit ${u}`),
        make('b', { style: `width:${(100 * Math.abs(of[u])).toFixed(0)}%` }),
        make('span', {}, signed(of[u]))))));
    list.units = best;
    status.textContent = best.length ? '' : `Nothing or everything in this text is ${properties[chosen.property]}, so no unit can follow it.`;
    choose(shown ?? best[0] ?? 0);
  }
  function choose(u) {
    chosen.unit = Math.max(0, Math.min(hidden - 1, u));
    unit.value = chosen.unit;
    const now = trace(chosen.unit), bound = brief(now?.bound ?? 1);
    title.textContent = `Unit ${chosen.unit}${config.num_layers > 1 ? ` of layer ${chosen.layer + 1}` : ''}, ${signal()}`;
    Array.from(list.children).forEach((item, i) => item.firstChild.setAttribute('aria-pressed', list.units[i] === chosen.unit));
    text.colour((i) => (now ? level(now.values[i] / now.bound) : ''));
    map.row(rows.indexOf(chosen.unit), chosen.unit);
    scale.replaceChildren(make('i', { class: IS_GATE(signal()) ? 'one' : 'two' }),
      make('span', {}, (IS_GATE(signal()) ? ['0, closed', '1, open'] : [`−${bound}`, '0', bound]).map((end) => make('span', {}, end))));
    facts.textContent = `${properties[chosen.property]}: r = ${signed(r()[chosen.unit])}`;
    look(text.at);
  }
  function look(i) {
    const now = trace(chosen.unit);
    if (i === null || !now) return '';
    map.column(i);
    const value = fixed(now.values[i], 2), symbol = symbols[data.ids[i]];
    facts.textContent = `${properties[chosen.property]}: r = ${signed(r()[chosen.unit])} · ${value} after ${glyph(symbol)}`;
    return `${spoken(symbol)}, ${value}`;
  }
  rank();
  if (isShort) return provide();
  // A long text not before someone looks: it takes a while and some of a phone's battery.
  const watch = new IntersectionObserver((seen) => {
    if (seen.some((one) => one.isIntersecting)) {
      watch.disconnect();
      provide();
    }
  }, { rootMargin: '400px' });
  watch.observe(panel('neurons'));
}

/** A map of units by characters; `choose(row, i)` when a place is pointed at. */
function heatMap(choose) {
  const canvas = make('canvas', { tabindex: 0, role: 'slider', 'aria-orientation': 'vertical', 'aria-label': 'Unit, in the map of all units', 'aria-valuemin': 0 });
  const rowMark = make('div', { class: 'row' }), columnMark = make('div', { class: 'column' });
  const caption = make('figcaption');
  const ends = make('div', { class: 'ends', 'aria-hidden': 'true' }, make('span', {}, 'character 1'), make('span', {}, thousands(length)));
  const figure = make('figure', { class: 'map' }, make('div', { class: 'frame' }, canvas, rowMark, columnMark), ends, caption);
  let traces = [], row = 0, at = 0;
  const columns = () => Math.min(length, 1200);
  function paint() {
    const width = columns(), high = Math.min(traces.length, MOST_ROWS);
    if (!width || !high) return;
    canvas.width = width;
    canvas.height = high;
    canvas.style.height = `${Math.max(120, Math.min(420, high * 3))}px`;
    canvas.style.imageRendering = high * 3 <= 420 ? 'pixelated' : 'auto';
    const image = new ImageData(width, high), [zero, plus, minus] = ['--card', '--map-pos', '--map-neg'].map(rgb);
    for (let y = 0; y < high; y++) {
      const { values, bound } = traces[Math.floor((y * traces.length) / high)];
      for (let x = 0; x < width; x++) {
        const from = Math.floor((x * length) / width), to = Math.max(from + 1, Math.floor(((x + 1) * length) / width));
        let sum = 0;
        for (let i = from; i < to; i++) sum += values[i];
        const v = sum / (to - from) / bound;
        const end = v < 0 ? minus : plus, o = 4 * (y * width + x);
        for (let c = 0; c < 3; c++) image.data[o + c] = zero[c] + (end[c] - zero[c]) * Math.abs(v);
        image.data[o + 3] = 255;
      }
    }
    canvas.getContext('2d').putImageData(image, 0, 0);
  }
  function mark() {
    const { clientWidth: w, clientHeight: h } = canvas, each = h / (traces.length || 1);
    rowMark.style.cssText = `top:${1 + row * each}px;height:${Math.max(3, each)}px;display:${row < 0 ? 'none' : 'block'}`;
    columnMark.style.cssText = `left:${1 + (w * (at + 0.5)) / length}px;height:${h}px`;
    canvas.setAttribute('aria-valuemax', Math.max(0, traces.length - 1));
    canvas.setAttribute('aria-valuenow', Math.max(0, row));
  }
  canvas.addEventListener('click', (event) => {
    const box = canvas.getBoundingClientRect();
    const within = (x, n) => Math.max(0, Math.min(n - 1, Math.floor(x * n)));
    choose(within((event.clientY - box.top) / box.height, traces.length), within((event.clientX - box.left) / box.width, length));
  });
  canvas.addEventListener('keydown', (event) => {
    const by = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
    if (!by || !traces.length) return;
    event.preventDefault();
    const step = Math.ceil(length / columns());
    choose(Math.max(0, Math.min(traces.length - 1, row + by[0])), Math.max(0, Math.min(length - 1, at + by[1] * step)));
  });
  themeListeners.push(paint);
  withWidth(figure, mark);
  return {
    figure,
    fill(all, what) {
      traces = all;
      caption.textContent = `All units, one per row, over the text from left to right: ${what}, highest on top. Click a place to see its unit and character.`;
      paint();
      mark();
    },
    row(index, unit) {
      row = index;
      canvas.setAttribute('aria-valuetext', `unit ${unit}`);
      mark();
    },
    column(index) { at = index; mark(); },
  };
}
