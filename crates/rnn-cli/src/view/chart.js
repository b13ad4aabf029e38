// Line charts as SVG at the width they are shown at, with a reading under the pointer, the arrow
// keys, and a table of their numbers.

const MARGIN = { left: 52, right: 12, top: 24, bottom: 38 };

/** Round numbers that cover low to high, about `count` of them. */
function ticks(low, high, count) {
  const raw = (high - low) / count || 1;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * unit >= raw) * unit;
  const all = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) all.push(k * step);
  return all;
}

/** Powers of ten within low to high, thinned out to about `count`. */
function powers(low, high, count) {
  const [from, to] = [Math.ceil(low - 1e-9), Math.floor(high + 1e-9)];
  const every = Math.max(1, Math.ceil((to - from + 1) / count));
  const all = [];
  for (let k = to; k >= from; k -= every) all.push(k);
  return all;
}

/**
 * A chart of `series`, each `{ name, hue, dashed, values }` with a value or null for every one of
 * `xs`. `log` draws powers of ten; `area` fills between two series by index; `name` is said aloud.
 */
function chart({ name, x, y, xs, series, log = false, area = null, height = 250, area_note = null }) {
  const of = log ? (v) => (v > 0 ? Math.log10(v) : null) : (v) => v;
  const known = series.flatMap((s) => s.values).filter((v) => v !== null && of(v) !== null).map(of);
  const low = Math.min(...known), high = Math.max(...known);
  const pad = (high - low) * 0.06 || 0.5;
  const bottom = low - pad, top = high + pad;
  const figure = make('figure');
  const legend = make('div', { class: 'legend' }, ...series.map((s) =>
    make('span', { class: s.hue },
      draw('svg', { 'aria-hidden': 'true' }, draw('path', { d: 'M0 5H24', class: s.dashed ? 'dashed' : '' })), s.name)));
  if (area_note) legend.append(make('span', { class: 'soft' }, area_note));
  const reading = make('p', { class: 'reading small soft' }, 'Point at the chart, or use the arrow keys on it, to read its values.');
  const svg = draw('svg', {
    class: 'chart', tabindex: 0, role: 'img', height,
    'aria-label': `${name}. ${series.map((s) => `${s.name}: from ${brief(s.values.find((v) => v !== null))} to ${brief(s.values.findLast((v) => v !== null))}`).join('; ')}.`,
  });
  const table = make('details', {}, make('summary', {}, 'Numbers'), make('div', { tabindex: 0 }, make('table', {},
    make('thead', {}, make('tr', {}, ...[x, ...series.map((s) => s.name)].map((head) => make('th', { scope: 'col' }, head)))),
    make('tbody', {}, ...xs.map((value, i) => make('tr', {}, make('td', {}, thousands(value)), ...series.map((s) => make('td', {}, brief(s.values[i])))))))));
  figure.append(legend, svg, reading, table);

  let width = 0, at = null;
  const first = xs[0], last = xs.at(-1);
  const px = (v) => MARGIN.left + ((v - first) / (last - first || 1)) * (width - MARGIN.left - MARGIN.right);
  const py = (v) => MARGIN.top + ((top - v) / (top - bottom)) * (height - MARGIN.top - MARGIN.bottom);
  const path = (values) => {
    let d = '', pen = 'M';
    values.forEach((value, i) => {
      const v = value === null ? null : of(value);
      if (v === null) return void (pen = 'M');
      d += `${pen}${px(xs[i]).toFixed(1)} ${py(v).toFixed(1)}`;
      pen = 'L';
    });
    return d;
  };
  const cross = draw('g');
  function show(index) {
    at = Math.max(0, Math.min(xs.length - 1, index));
    const here = px(xs[at]);
    cross.replaceChildren(draw('line', { class: 'cross', x1: here, x2: here, y1: MARGIN.top, y2: height - MARGIN.bottom }));
    const parts = [];
    for (const s of series) {
      const value = s.values[at];
      if (value === null || of(value) === null) continue;
      cross.append(draw('circle', { class: s.hue, cx: here, cy: py(of(value)), r: 3.5 }));
      parts.push(`${s.name} ${brief(value)}`);
    }
    reading.textContent = `${x} ${thousands(xs[at])}: ${parts.join(', ')}`;
  }
  function redraw(newWidth) {
    width = newWidth;
    const lines = log ? powers(bottom, top, 6) : ticks(bottom, top, height / 40);
    svg.replaceChildren(
      ...lines.flatMap((v) => [
        draw('line', { class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: py(v), y2: py(v) }),
        draw('text', { x: MARGIN.left - 8, y: py(v) + 4, 'text-anchor': 'end' }, log ? (v === 0 ? '1' : power(10, v)) : brief(Number(v.toPrecision(8)))),
      ]),
      ...ticks(first, last, width / 80).map((v) =>
        draw('text', { x: px(v), y: height - MARGIN.bottom + 18, 'text-anchor': 'middle' }, thousands(v))),
      draw('text', { x: width - MARGIN.right, y: height - 3, 'text-anchor': 'end' }, x),
      draw('text', { x: MARGIN.left - 8, y: 10, 'text-anchor': 'end' }, y));
    if (area) {
      const [upper, under] = area.map((i) => series[i].values.map((v) => (v === null || of(v) === null ? 10 ** bottom : v)));
      const there = path(upper), back = path(under).slice(1).split('L').reverse().join('L');
      svg.append(draw('path', { class: `area ${series[area[0]].hue}`, d: `${there}L${back}Z` }));
    }
    svg.append(...series.map((s) => draw('path', { class: `${s.hue}${s.dashed ? ' dashed' : ''}`, d: path(s.values) })), cross);
    if (at !== null) show(at);
  }
  svg.addEventListener('pointermove', (event) => {
    const x = event.clientX - svg.getBoundingClientRect().left;
    let best = 0;
    xs.forEach((v, i) => { if (Math.abs(px(v) - x) < Math.abs(px(xs[best]) - x)) best = i; });
    show(best);
  });
  svg.addEventListener('keydown', (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    show(by === Infinity ? xs.length - 1 : by === -Infinity ? 0 : (at ?? -1) + by);
    speak(reading.textContent);
  });
  withWidth(figure, redraw);
  return figure;
}
