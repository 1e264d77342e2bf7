//! Deterministic mutations of sound inputs, for a short run where no fuzzer is built.

/// Pieces that break readers: ends of number types, nesting, quotes, marks of files.
const PIECES: [&[u8]; 24] = [
    b"0",
    b"-1",
    b"1e999",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"18446744073709551615",
    b"1000000000",
    b"0.5",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[[[[[[[[",
    b"{\"a\":{\"a\":",
    b"\"",
    b"\\ud800",
    b"../",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xd9",
    b"IDAT",
    b"\xe6\x9e\x81",
];

/// Longest input that is made.
const MAX_BYTES: usize = 1 << 16;

/// Makes inputs out of seeds; the same seed number gives the same inputs.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// A mutator whose inputs follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// One of `seeds` with one to six changes.
    pub fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut bytes, seeds);
        }
        bytes.truncate(MAX_BYTES);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let end = (at + 1 + self.below(24)).min(bytes.len());
        match self.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at.min(end)..end)),
            2 => {
                let piece = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                let piece = PIECES[self.below(PIECES.len())];
                bytes.splice(at.min(end)..end, piece.iter().copied());
            }
            4 => self.replace_number(bytes, at),
            5 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let piece = other[from..(from + 64).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            _ => bytes.push(self.below(256) as u8),
        }
    }

    /// Puts a number of a bad kind in the place of the next one.
    fn replace_number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let Some(start) = bytes[at..].iter().position(is_digit) else {
            return;
        };
        let start = at + start;
        let n_digits = bytes[start..]
            .iter()
            .take_while(|byte| is_digit(byte))
            .count();
        let number = PIECES[self.below(9)];
        bytes.splice(start..start + n_digits, number.iter().copied());
    }

    /// A number below `n`, 0 for `n` = 0.
    fn below(&mut self, n: usize) -> usize {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % n.max(1) as u64) as usize
    }
}
