// Line charts as SVG at the width they are shown at, with a reading under the pointer, the arrow
// keys, and a table of their numbers.

const MARGIN = { left: 52, right: 12, top: 24, bottom: 38 };

/**
 * Round numbers that cover low to high, about `count` of them and `least` apart or more.
 *
 * They are counted before they are made: next to numbers much larger than itself a step is lost in
 * rounding, and a loop that adds it goes nowhere.
 */
function ticks(low, high, count, least = 0) {
  // Halves, as the difference of two of the largest numbers is none.
  const raw = Math.max((high / 2 - low / 2) / (count / 2) || 1, least);
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * unit >= raw) * unit;
  const first = Math.ceil(low / step - 1e-9), all = [];
  for (let i = 0; i <= 2 * count + 2; i++) {
    const tick = (first + i) * step;
    if (tick > high + step * 1e-9) break;
    if (Number.isFinite(tick) && tick >= low - step * 1e-9 && tick !== all.at(-1)) all.push(tick);
  }
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
 * The places of the values that a line needs: of those in one column of pixels the first and the
 * last, the lowest and the highest, in their order; nulls, which break a line, as one where it is
 * broken. What is left looks the same.
 */
function thinned(heights, column) {
  const kept = [];
  const keep = (places) => {
    for (const i of places.sort((a, b) => a - b)) if (i !== kept.at(-1)) kept.push(i);
  };
  for (let i = 0; i < heights.length;) {
    const here = column(i), isNull = heights[i] === null;
    let last = i, low = i, high = i;
    for (; last + 1 < heights.length && (heights[last + 1] === null) === isNull && (isNull || column(last + 1) === here); last++) {
      if (heights[last + 1] < heights[low]) low = last + 1;
      if (heights[last + 1] > heights[high]) high = last + 1;
    }
    keep(isNull ? [i] : [i, low, high, last]);
    i = last + 1;
  }
  return kept;
}

/**
 * A chart of `series`, each `{ name, hue, dashed, values }` with a value for every one of `xs`,
 * which ascend; null and infinity are not drawn. `log` draws powers of ten; `area` fills between two series by index; `name` is said aloud.
 */
function chart({ name, x, y, xs, series, log = false, area = null, height = 250, area_note = null }) {
  // A value's height, or null where it has none.
  const of = (v) => (!Number.isFinite(v) || (log && v <= 0) ? null : log ? Math.log10(v) : v);
  const known = extent(series.flatMap((s) => extent(s.values.map(of))));
  // Without any the axis is there all the same; and it ends where the numbers do.
  const [low, high] = known[0] <= known[1] ? known : [0, 1];
  const pad = (high / 2 - low / 2) * 0.12 || Math.max(0.5, Math.abs(high) * 1e-9);
  const bottom = Math.max(low - pad, -Number.MAX_VALUE), top = Math.min(high + pad, Number.MAX_VALUE);
  const figure = make('figure');
  const legend = make('div', { class: 'legend' }, series.map((s) =>
    make('span', { class: s.hue },
      draw('svg', { 'aria-hidden': 'true' }, draw('path', { d: 'M0 5H24', class: s.dashed ? 'dashed' : '' })), s.name)));
  if (area_note) legend.append(make('span', { class: 'soft' }, area_note));
  const reading = make('p', { class: 'reading small soft' }, 'Point at the chart, or use the arrow keys on it, to read its values.');
  const svg = draw('svg', {
    class: 'chart', tabindex: 0, role: 'img', height,
    'aria-label': `${name}. ${series.map((s) => `${s.name}: from ${brief(s.values.find((v) => v !== null))} to ${brief(s.values.findLast((v) => v !== null))}`).join('; ')}.`,
  });
  const table = numbersTable([x, ...series.map((s) => s.name)], xs.length, (i) =>
    [make('td', {}, thousands(xs[i])), series.map((s) => make('td', {}, brief(s.values[i])))]);
  figure.append(legend, svg, reading, table);

  let width = 0, at = null;
  const first = xs[0], last = xs.at(-1);
  const px = (v) => MARGIN.left + ((v - first) / (last - first || 1)) * (width - MARGIN.left - MARGIN.right);
  const py = (v) => MARGIN.top + ((top / 2 - v / 2) / (top / 2 - bottom / 2 || 1)) * (height - MARGIN.top - MARGIN.bottom);
  const path = (values) => {
    const parts = [];
    let pen = 'M';
    for (const i of thinned(values.map(of), (i) => Math.floor(px(xs[i])))) {
      const v = of(values[i]);
      if (v !== null) parts.push(`${pen}${px(xs[i]).toFixed(1)} ${py(v).toFixed(1)}`);
      pen = v === null ? 'M' : 'L';
    }
    return parts.join('');
  };
  const cross = draw('g');
  function show(index) {
    at = Math.max(0, Math.min(xs.length - 1, index));
    const here = px(xs[at]);
    cross.replaceChildren(draw('line', { class: 'cross', x1: here, x2: here, y1: MARGIN.top, y2: height - MARGIN.bottom }));
    const parts = [];
    for (const s of series) {
      const value = s.values[at];
      if (of(value) === null) continue;
      cross.append(draw('circle', { class: s.hue, cx: here, cy: py(of(value)), r: 3.5 }));
      parts.push(`${s.name} ${brief(value)}`);
    }
    reading.textContent = `${x} ${thousands(xs[at])}: ${parts.join(', ')}`;
  }
  function redraw(newWidth) {
    width = newWidth;
    const lines = log ? powers(bottom, top, 6) : ticks(bottom, top, height / 40);
    refill(svg, [
      lines.map((v) => [
        draw('line', { class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: py(v), y2: py(v) }),
        draw('text', { x: MARGIN.left - 8, y: py(v) + 4, 'text-anchor': 'end' }, log ? (v === 0 ? '1' : power(10, v)) : brief(Number(v.toPrecision(8)))),
      ]),
      // Steps and characters are whole.
      ticks(first, last, width / 80, 1).map((v) =>
        draw('text', { x: px(v), y: height - MARGIN.bottom + 18, 'text-anchor': 'middle' }, thousands(v))),
      draw('text', { x: width - MARGIN.right, y: height - 3, 'text-anchor': 'end' }, x),
      draw('text', { x: MARGIN.left - 8, y: 10, 'text-anchor': 'end' }, y),
    ]);
    if (area) {
      const [upper, under] = area.map((i) => series[i].values.map((v) => (of(v) === null ? 10 ** bottom : v)));
      const there = path(upper), back = path(under).slice(1).split('L').reverse().join('L');
      svg.append(draw('path', { class: `area ${series[area[0]].hue}`, d: `${there}L${back}Z` }));
    }
    append(svg, [series.map((s) => draw('path', { class: `${s.hue}${s.dashed ? ' dashed' : ''}`, d: path(s.values) })), cross]);
    if (at !== null) show(at);
  }
  svg.addEventListener('pointermove', (event) => {
    const x = event.clientX - svg.getBoundingClientRect().left;
    let low = 0, high = xs.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (px(xs[middle]) <= x) low = middle;
      else high = middle;
    }
    show(x - px(xs[low]) <= px(xs[high]) - x ? low : high);
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
