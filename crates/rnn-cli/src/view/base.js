'use strict';
// The data, and small tools that every panel uses. Whatever comes from a file reaches the page as
// text of a node or as a number, never as markup.

// What the page holds: all of it, its network's shape, its characters, and the text's length.
let data, config, symbols, length;

/** An element with attributes (or, for names with `on`, listeners) and children. */
function make(name, attributes = {}, ...children) {
  return finish(document.createElement(name), attributes, children);
}

/** The same for SVG. */
function draw(name, attributes = {}, ...children) {
  return finish(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function finish(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  append(element, children);
  return element;
}

/**
 * Adds children, which may be lists of children. One by one: a list that is spread into arguments
 * is as long as a file makes it, and a browser has room for some hundred thousand.
 */
function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

/** The same in place of what is there. */
function refill(element, children) {
  element.replaceChildren();
  append(element, children);
}

/** The smallest and the largest of the finite numbers; infinite the wrong way round without any. */
function extent(numbers) {
  let low = Infinity, high = -Infinity;
  for (const x of numbers) {
    if (!Number.isFinite(x)) continue;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return [low, high];
}

const panel = (id) => document.getElementById(id);

/** What a screen reader says next. */
function speak(text) {
  panel('spoken').textContent = text;
}

// Characters that cannot be seen, that turn the direction of what follows, or that join what is
// before them: the rule of `rnn::visible`, in the browser's own tables.
const UNSEEN = /\p{C}|\p{Z}|\p{Default_Ignorable_Code_Point}/u;

/** A character as something that can be seen: its picture, or its code point. */
function glyph(symbol) {
  if (symbol === '\n') return '↵';
  if (symbol === ' ') return '␣';
  const code = symbol.codePointAt(0);
  if (code < 32) return String.fromCodePoint(0x2400 + code);
  if (UNSEEN.test(symbol)) return 'U+' + code.toString(16).toUpperCase().padStart(4, '0');
  return /\p{M}/u.test(symbol) ? '◌' + symbol : symbol;
}

/** A text with its lines and accents, but nothing in it that cannot be seen. */
function visible(text) {
  return Array.from(text, (c) => (/[\n\t ]|\p{M}/u.test(c) ? c : glyph(c))).join('');
}

/** A character as it is said. */
function spoken(symbol) {
  return { '\n': 'line end', ' ': 'space', '\t': 'tab' }[symbol] ?? glyph(symbol);
}

/** A string of a file on one line, without characters that play with the reader. */
function plain(text) {
  return Array.from(text, (c) => (c === ' ' ? c : glyph(c))).join('');
}

const fixed = (x, digits) => (x === null ? 'unknown' : Number.isFinite(x) ? x.toFixed(digits).replace('-', '−') : '∞');
const signed = (x, digits = 2) => (x === null ? 'none' : (x < 0 ? '' : '+') + fixed(x, digits));
/** A probability or a share: whole percents, tenths of small ones, and of the smallest their first digit. */
const percent = (p) => (p >= 0.0995 ? fixed(100 * p, 0) : p >= 0.00095 ? fixed(100 * p, 1) : p === 0 ? '0' : p < 1e-5 ? '<0.001' : fixed(100 * p, p >= 1e-4 ? 2 : 3)) + ' %';
/** A power as it is printed: 2⁻²⁰. */
const power = (base, exponent) => base + String(exponent).replace('-', '⁻').replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit]);
const thousands = (n) => String(n).replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));

/** A number in few digits, for axes and tables. */
function brief(x) {
  if (x === null || x === undefined) return '';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : x < 0 ? '−∞' : 'no number';
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    const [digits, exponent] = x.toExponential(1).replace('.0', '').split('e');
    return `${digits.replace('-', '−')}\u00a0×\u00a0${power(10, Number(exponent))}`;
  }
  return String(Number(x.toPrecision(4))).replace('-', '−');
}

/** The numbers that an element of the page holds: f32 in base64, the lowest byte first. */
function floatsOf(id) {
  const text = atob(panel(id).textContent), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

/** A list of rows: label, bar as long as its share, value. */
function bars(rows) {
  return rows.map(({ label, share, value, kind, title }) =>
    make('li', { class: kind, title },
      make('span', { class: 'mono' }, label),
      make('b', { style: `width:${(100 * share).toFixed(1)}%` }),
      make('span', {}, value)));
}

// Rows that a table gets at a time.
const TABLE_ROWS = 500;

/** A table behind a heading, with `row(i)` for each of `count` rows: made when it is opened, a part at a time. */
function numbersTable(heads, count, row) {
  const body = make('tbody'), more = make('button', { type: 'button', onclick: grow });
  const table = make('table', {}, make('thead', {}, make('tr', {}, heads.map((head) => make('th', { scope: 'col' }, head)))), body);
  const frame = make('div', { tabindex: 0 }, table);
  function grow() {
    const from = body.children.length, to = Math.min(count, from + TABLE_ROWS);
    for (let i = from; i < to; i++) body.append(make('tr', {}, row(i)));
    more.textContent = `Show ${thousands(Math.min(TABLE_ROWS, count - to))} more of ${thousands(count)}`;
    if (to < count) frame.append(more);
    else more.remove();
  }
  const ontoggle = () => { if (body.children.length === 0) grow(); };
  return make('details', { ontoggle }, make('summary', {}, 'Numbers'), frame);
}

/** A drop-down list; `choose` is called with the index chosen. */
function dropDown(label, names, choose) {
  const list = make('select', { onchange: () => choose(list.selectedIndex) });
  append(list, names.map((name) => make('option', {}, name)));
  return { list, field: make('label', {}, label, list) };
}

/** Calls `then` with the width of an element, now and whenever it changes. */
function withWidth(element, then) {
  let last = 0;
  const look = () => {
    const width = Math.round(element.clientWidth);
    if (width > 0 && width !== last) then((last = width));
  };
  new ResizeObserver(look).observe(element);
  look();
}

const themeListeners = [];
const theme = panel('theme');
function setTheme(isDark) {
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  theme.setAttribute('aria-pressed', isDark);
  themeListeners.forEach((listen) => listen());
}
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
setTheme(prefersDark.matches);
prefersDark.addEventListener('change', () => setTheme(prefersDark.matches));
theme.addEventListener('click', () => setTheme(document.documentElement.dataset.theme !== 'dark'));

/** The numbers of a colour variable of the style sheet: red, green, blue. */
function rgb(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** The head of the page: which model, which text. */
function showHead() {
  panel('title').textContent = plain(data.model);
  document.title = plain(data.model);
  const text = make('b', {}, plain(data.text));
  const part = length < data.total ? `the first ${thousands(length)} of ${thousands(data.total)}` : `all ${thousands(length)}`;
  panel('lead').replaceChildren(
    'This network has learned to tell which character of a text comes next. Here it reads ', text,
    `, ${part} characters${data.line_end === null ? '' : ', line by line'}. See where it is surprised, what its units follow and how far back it remembers, and write with it.`);
  panel('facts').textContent = [
    data.cell.about,
    `${config.num_layers} layer${config.num_layers > 1 ? 's' : ''} of ${thousands(config.hidden_size)} units`,
    `${thousands(data.parameters)} parameters`,
    data.bytes ? 'knows 256 bytes' : `knows ${thousands(symbols.length)} characters`,
  ].join(' · ');
}

const links = Array.from(document.querySelectorAll('nav a'));
const sections = links.map((link) => document.querySelector(link.getAttribute('href')));
function markSection() {
  const below = sections.findIndex((section) => section.getBoundingClientRect().top > innerHeight / 3);
  const now = below < 0 ? links.length - 1 : Math.max(below - 1, 0);
  links.forEach((link, i) => (i === now ? link.setAttribute('aria-current', 'true') : link.removeAttribute('aria-current')));
}
addEventListener('scroll', markSection, { passive: true });
// Panels move each other while they fill.
new ResizeObserver(markSection).observe(document.body);
