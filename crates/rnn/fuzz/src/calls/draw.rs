//! Values from bytes: small and valid ones most of the time, and now and then whatever the type allows.

use rnn::Id;

/// Bytes to draw from. Where they end every value is the first of its kind.
pub(super) struct Draw<'a>(pub(super) &'a [u8]);

impl Draw<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        byte
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    pub(super) fn flip(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// True for one byte in sixteen, and never where the bytes have ended.
    pub(super) fn seldom(&mut self) -> bool {
        self.byte() >= 240
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Any number, those near a limit sooner than others.
    pub(super) fn u64(&mut self) -> u64 {
        match self.below(4) {
            0 => self.byte().into(),
            1 => {
                let limits = [0, 1, 1 << 31, 1 << 32, 1 << 53, 1 << 63, u64::MAX];
                self.one_of(&limits).wrapping_sub(self.below(2) as u64)
            }
            2 => 1 << self.below(64),
            _ => u64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    /// Any number, and any that is none.
    pub(super) fn f64(&mut self) -> f64 {
        const SPECIAL: [f64; 18] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            f64::EPSILON,
            1e-16,
            1e38,
            3.5e38,
            0.999_999_999,
            1.000_000_1,
        ];
        match self.below(3) {
            0 => f64::from(self.byte()) / 255.0,
            1 => self.one_of(&SPECIAL),
            _ => f64::from_bits(self.u64()),
        }
    }

    /// One of `valid`, or seldom any number.
    pub(super) fn mostly(&mut self, valid: &[f64]) -> f64 {
        if self.seldom() {
            self.f64()
        } else {
            self.one_of(valid)
        }
    }

    /// A size from 1 to `most`, or seldom 0 or one that is absurd. Nothing between: what is merely large
    /// would be done, and take its time.
    pub(super) fn size(&mut self, most: usize) -> usize {
        if !self.seldom() {
            return 1 + self.below(most);
        }
        self.one_of(&[0, 1 << 40, usize::MAX / 2, usize::MAX - 1, usize::MAX])
    }

    pub(super) fn ids(&mut self, vocab_size: usize, most: usize) -> Vec<Id> {
        let length = self.below(most + 1);
        let mut ids: Vec<Id> = (0..length)
            .map(|_| Id::from(self.byte()) % vocab_size as Id)
            .collect();
        // Longer than any buffer of the library, for few bytes.
        if self.seldom() && !ids.is_empty() {
            ids = ids.iter().copied().cycle().take(300).collect();
        }
        ids
    }

    pub(super) fn character(&mut self) -> char {
        const KNOWN: &[char] = &[
            'a',
            'b',
            'c',
            '\n',
            ' ',
            'A',
            '"',
            '(',
            ')',
            '1',
            '\r',
            '\0',
            'é',
            '\u{feff}',
            '\u{fffd}',
            '\u{2028}',
            '\u{202e}',
            '\u{80}',
            '\u{ff}',
            '\u{100}',
            '𝄞',
            '\u{10ffff}',
        ];
        if self.seldom() {
            char::from_u32(self.u64() as u32).unwrap_or('x')
        } else {
            self.one_of(KNOWN)
        }
    }

    pub(super) fn text(&mut self, most: usize) -> String {
        match self.below(3) {
            0 => (0..self.below(most + 1))
                .map(|_| self.character())
                .collect(),
            1 => {
                let line = self.one_of(&["ab", "anna\nbob\n", "to be, or not to be. ", "é\n"]);
                line.repeat(1 + self.below(4))
            }
            _ => (0..self.below(most + 1))
                .map(|_| char::from(b'a' + self.byte() % 4))
                .collect(),
        }
    }

    /// Any bytes, most often those of a text.
    pub(super) fn bytes(&mut self, most: usize) -> Vec<u8> {
        if self.seldom() {
            (0..self.below(most + 1)).map(|_| self.byte()).collect()
        } else {
            self.text(most).into_bytes()
        }
    }

    /// Shares of a text: most often ones that add up.
    pub(super) fn shares(&mut self) -> Vec<f64> {
        if self.seldom() {
            (0..self.below(5)).map(|_| self.f64()).collect()
        } else {
            let shares: [&[f64]; 5] = [
                &[0.8, 0.2],
                &[1.0],
                &[0.5, 0.25, 0.25],
                &[0.5, 0.5],
                &[0.1, 0.9],
            ];
            self.one_of(&shares).to_vec()
        }
    }
}
