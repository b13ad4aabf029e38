// The characters in two dimensions: the first two principal components of what predicts them and of
// what reading them does.

const CLASS_HUES = { vowels: 'orange', 'other letters': 'blue', capitals: 'green', digits: 'purple', spaces: 'grey', signs: 'gold' };

// Of more characters than this, one is drawn for those that cover each other.
const ALL_GLYPHS = 600;
// The room that a character takes, in pixels.
const GLYPH_ROOM = [7, 12];

/** The characters to draw at places `at(i)`: of one class, one for each bit of room, the first. */
function apart(count, at) {
  const all = Array.from({ length: count }, (_, i) => i);
  if (count <= ALL_GLYPHS) return all;
  const taken = new Set(), kinds = Object.keys(CLASS_HUES);
  return all.filter((i) => {
    const [x, y] = at(i);
    const [column, row] = [Math.floor(x / GLYPH_ROOM[0]), Math.floor(y / GLYPH_ROOM[1])];
    const place = (column * 1e4 + row) * kinds.length + kinds.indexOf(data.classes[i]);
    return !taken.has(place) && taken.add(place);
  });
}

function scatter(title, text, { points, explained }) {
  const height = 380;
  const svg = draw('svg', { class: 'chart', role: 'img', height, 'aria-label': `${title}: ${points.length} characters in a plane that holds ${percent(explained[0] + explained[1])} of the variance` });
  const nearest = (i) => points
    .map(([x, y], j) => [Math.hypot(x - points[i][0], y - points[i][1]), j])
    .sort((a, b) => a[0] - b[0]).slice(1, 6).map(([, j]) => glyph(symbols[j]));
  const table = numbersTable(['character', 'x', 'y', 'closest'], points.length, (i) =>
    [glyph(symbols[i]), brief(points[i][0]), brief(points[i][1]), points.length <= ALL_GLYPHS ? nearest(i).join(' ') : '']
      .map((cell) => make('td', { class: 'mono' }, cell)));
  const caption = make('figcaption');
  const figure = make('figure', {}, make('h3', {}, title), make('p', { class: 'small soft' }, text), svg, caption, table);
  const ranges = [0, 1].map((axis) => extent(points.map((p) => p[axis])));
  withWidth(figure, (width) => {
    const on = (axis, v, from, to) => from + ((v - ranges[axis][0]) / (ranges[axis][1] - ranges[axis][0] || 1)) * (to - from);
    const place = ([x, y]) => [on(0, x, 14, width - 14), on(1, y, height - 14, 14)];
    const drawn = apart(points.length, (i) => place(points[i]));
    caption.textContent = `${percent(explained[0])} of the variance from left to right, ${percent(explained[1])} from bottom to top` +
      (drawn.length < points.length ? `; ${thousands(drawn.length)} of ${thousands(points.length)} characters are drawn; the others would be hidden behind one of their kind` : '');
    refill(svg, [
      draw('line', { class: 'grid', x1: on(0, 0, 14, width - 14), x2: on(0, 0, 14, width - 14), y1: 0, y2: height }),
      draw('line', { class: 'grid', y1: on(1, 0, height - 14, 14), y2: on(1, 0, height - 14, 14), x1: 0, x2: width }),
      drawn.map((i) => {
        const [x, y] = place(points[i]);
        return draw('text', { class: `glyph ${CLASS_HUES[data.classes[i]]}`, 'data-class': data.classes[i], x, y },
          draw('title', {}, spoken(symbols[i])), glyph(symbols[i]));
      }),
    ]);
  });
  return figure;
}

function showLetters() {
  const classes = Object.keys(CLASS_HUES).filter((name) => data.classes.includes(name));
  const legend = make('div', { class: 'legend', role: 'group', 'aria-label': 'Show one kind of character' }, classes.map((name) =>
    make('button', {
      type: 'button', class: CLASS_HUES[name], 'aria-pressed': false,
      onclick(event) {
        const isOn = event.currentTarget.getAttribute('aria-pressed') !== 'true';
        for (const button of legend.children) button.setAttribute('aria-pressed', isOn && button === event.currentTarget);
        maps.classList.toggle('dimmed', isOn);
        maps.querySelectorAll('.glyph').forEach((text) => text.classList.toggle('lit', text.dataset.class === name));
      },
    }, name)));
  const maps = make('div', { class: 'two' },
    scatter('As they are predicted', 'Rows of the decoder: characters that are predicted in similar states are close together.', data.letters.decoder),
    scatter('As they are read', 'Columns of weight_ih_l0: characters that change the state in similar ways are close together.', data.letters.input));
  panel('letters').append(
    make('p', { class: 'soft' }, 'Nobody told the model what a vowel or a capital is. Which characters does it treat alike?'), legend, maps);
}
