//! The events that every engine is given: 200 bytes of content each, the same for the same number.

use crate::Outcome;

/// Bytes of content of one event: type, correlation id, id, time and data.
const CONTENT_BYTES: usize = 200;
/// Events after which the pattern of correlations begins anew.
pub(crate) const ROUND: u64 = 2_000;
/// When the event with number 0 happened, in microseconds; each later one is a millisecond later.
const FIRST_MICROS: i64 = 1_700_000_000_000_000;
const STEP_MICROS: i64 = 1_000;

pub(crate) const KINDS: [&str; 8] = [
    "order.placed",
    "order.packed",
    "order.posted",
    "order.billed",
    "order.repaid",
    "order.opened",
    "order.closed",
    "order.viewed",
];

/// Words that the data is made of: text that compresses as text does.
const WORDS: [&str; 32] = [
    "amber", "basket", "copper", "delta", "ember", "forest", "garden", "harbour", "island",
    "jasmine", "kettle", "lantern", "meadow", "nickel", "orchard", "pepper", "quarry", "river",
    "saffron", "timber", "umber", "velvet", "willow", "xenon", "yarrow", "zephyr", "anchor",
    "bridge", "canyon", "dune", "eagle", "falcon",
];

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) kind: &'static str,
    pub(crate) correlation: String,
    pub(crate) time: i64,
    pub(crate) id: u128,
    pub(crate) data: String,
}

/// An event as an engine gives it back, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) kind: &'a str,
    pub(crate) correlation: &'a str,
    pub(crate) time: i64,
    pub(crate) data: &'a str,
}

impl Sample {
    /// The event with this number.
    pub(crate) fn of(number: u64) -> Self {
        let mut bits = Bits(number);
        let kind = kind_of(number);
        let correlation = correlation_of(number);
        let id = u128::from(bits.next()) << 64 | u128::from(bits.next());
        // As an id of version 7 has them: the store recognises a UUID by its text alone.
        let id = id & !(0xf << 76) & !(0x3 << 62) | 0x7 << 76 | 0x2 << 62;
        let mut data = format!("{{\"number\":{number},\"note\":\"");
        let bytes = CONTENT_BYTES - kind.len() - correlation.len() - 16 - 8 - 2;
        while data.len() < bytes {
            data.push_str(WORDS[(bits.next() % WORDS.len() as u64) as usize]);
            data.push(' ');
        }
        data.truncate(bytes);
        data.push_str("\"}");
        Self { kind, correlation, time: time_of(number), id, data }
    }

    /// The event as one value of a store of keys and values.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.time.to_be_bytes());
        out.extend_from_slice(&self.id.to_be_bytes());
        for text in [self.kind, &self.correlation] {
            out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(self.data.as_bytes());
    }
}

/// When the event with this number happened.
pub(crate) fn time_of(number: u64) -> i64 {
    FIRST_MICROS + number.cast_signed() * STEP_MICROS
}

/// Half of the events belong to stories of ten, half to stories of a hundred; those of a story lie
/// apart, as they do where many things happen at once.
pub(crate) fn correlation_of(number: u64) -> String {
    let (round, at) = (number / ROUND, number % ROUND / 2);
    match number % 2 {
        0 => correlation_of_100(round, at % 10),
        _ => correlation_of_10(round, at % 100),
    }
}

/// A story of ten events, one of a hundred in each round.
pub(crate) fn correlation_of_10(round: u64, nth: u64) -> String {
    format!("req-{round:05}-s{nth:02}")
}

/// A story of a hundred events, one of ten in each round.
pub(crate) fn correlation_of_100(round: u64, nth: u64) -> String {
    format!("req-{round:05}-b{nth:02}")
}

fn kind_of(number: u64) -> &'static str {
    KINDS[(Bits(number ^ 0x5eed).next() % KINDS.len() as u64) as usize]
}

impl<'a> Seen<'a> {
    /// Reads what [`Sample::encode`] wrote.
    pub(crate) fn decode(bytes: &'a [u8]) -> Outcome<Self> {
        let damaged = || "a value is cut short".to_owned();
        let (time, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (_id, rest) = rest.split_first_chunk::<16>().ok_or_else(damaged)?;
        let text = |bytes: &'a [u8]| -> Outcome<(&'a str, &'a [u8])> {
            let (length, rest) = bytes.split_first().ok_or_else(damaged)?;
            let (text, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(damaged)?;
            Ok((std::str::from_utf8(text)?, rest))
        };
        let (kind, rest) = text(rest)?;
        let (correlation, rest) = text(rest)?;
        let data = std::str::from_utf8(rest)?;
        Ok(Self { kind, correlation, time: i64::from_be_bytes(*time), data })
    }

    /// The number of the event, which its data begins with.
    pub(crate) fn number(&self) -> Option<u64> {
        let (digits, _) = self.data.strip_prefix("{\"number\":")?.split_once(',')?;
        digits.parse().ok()
    }

    /// Whether it is in every field what was written.
    pub(crate) fn check(&self) -> Outcome<()> {
        let number = self.number().ok_or_else(|| format!("no event of ours: {self:?}"))?;
        let written = Sample::of(number);
        let same = (self.kind, self.correlation, self.time, self.data)
            == (written.kind, &*written.correlation, written.time, &*written.data);
        if same { Ok(()) } else { Err(format!("{self:?} was written as {written:?}").into()) }
    }
}

/// Bits that look drawn and are the same for the same seed.
pub(crate) struct Bits(pub(crate) u64);

impl Bits {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
