//! Reading a segment frame by frame, below the durable end: what is there was proven once, and a
//! read may begin at any frame. Each frame is verified whenever it is read.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::segment::HEADER_BYTES;
use crate::disk::{DiskFile, read_full};
use crate::record::Record;
use crate::record::frame::{
    FRAME_HEADER_BYTES, FrameFault, FrameHeader, GapMark, KIND_GAP, KIND_GROUP, read_frame,
};

/// Bytes that are read of a record alone at first: most have fewer.
const RECORD_BYTES: u64 = 512;
/// Bytes of a frame, as a guess of how many there are.
const FRAME_BYTES_USUAL: usize = 256;
const TOO_SHORT: &str = "the file is shorter than its records";

/// Records of a segment from an offset on, each verified by itself and against the one before.
pub(super) struct Frames<'a> {
    pub(super) file: &'a dyn DiskFile,
    pub(super) seed: u32,
    /// Offset of the next frame.
    pub(super) offset: u64,
    /// Offset after the last durable frame.
    pub(super) end: u64,
    /// Checksum of the frame before, once one was read.
    pub(super) chain: Option<u32>,
}

/// Why a frame below the durable end cannot be given out.
pub(super) enum ReadFault {
    Disk(io::Error),
    /// Where it stands and what is wrong.
    Damaged(u64, &'static str),
}

impl From<io::Error> for ReadFault {
    fn from(cause: io::Error) -> Self {
        Self::Disk(cause)
    }
}

impl Frames<'_> {
    /// The records in about the next `bytes_max` bytes, at least one frame; empty at the end.
    pub(super) fn next(&mut self, bytes_max: usize) -> Result<Vec<Record>, ReadFault> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(Vec::new());
        }
        let mut chunk = self.read(left.min(bytes_max.max(FRAME_HEADER_BYTES)))?;
        if let Some(header) = FrameHeader::read(&chunk)
            && header.frame_bytes() > chunk.len()
            && header.frame_bytes() <= left
        {
            chunk = self.read(header.frame_bytes())?;
        }
        // A list that grows is copied each time; one of small records grows once or twice.
        let mut records = Vec::with_capacity(chunk.len() / FRAME_BYTES_USUAL);
        let mut at = 0;
        while at < chunk.len() {
            let header = match read_frame(&chunk[at..], self.seed) {
                Ok(header) => header,
                // Cut by the chunk: the next read begins with it.
                Err(FrameFault::Short) if at > 0 => break,
                Err(fault) => return Err(ReadFault::Damaged(self.offset, fault.reason())),
            };
            if self.chain.is_some_and(|chain| chain != header.previous) {
                return Err(ReadFault::Damaged(self.offset, "the chain is broken"));
            }
            if !matches!(header.kind, KIND_GROUP | KIND_GAP) {
                let record = Record::of_frame(chunk.clone(), at, header)
                    .map_err(|_| ReadFault::Damaged(self.offset, "the chunk is too large"))?;
                records.push(record);
            }
            let body = chunk.get(at + FRAME_HEADER_BYTES..).unwrap_or_default();
            let gap = if header.kind == KIND_GAP { GapMark::read(body) } else { None };
            self.chain = Some(gap.map_or(header.checksum, |gap| gap.chain));
            self.offset += header.frame_bytes() as u64;
            at += header.frame_bytes();
        }
        Ok(records)
    }

    /// The records whose frames stand at these offsets, read at once with what lies between them.
    pub(super) fn at(&self, offsets: &[u64]) -> Result<Vec<Record>, ReadFault> {
        let start = offsets.iter().copied().min().unwrap_or_default();
        let last = offsets.iter().copied().max().unwrap_or_default();
        let end = self.end.min(last.saturating_add(RECORD_BYTES));
        let bytes = self.bytes(start..end)?;
        let record = |offset: &u64| {
            let own = bytes.get((offset - start) as usize..);
            self.alone(*offset, own.unwrap_or_default())
        };
        offsets.iter().map(record).collect()
    }

    /// The record whose frame stands at this offset, where these bytes were read.
    fn alone(&self, offset: u64, bytes: &[u8]) -> Result<Record, ReadFault> {
        let damaged = |reason| ReadFault::Damaged(offset, reason);
        let header = FrameHeader::read(bytes).ok_or(damaged("no record stands here"))?;
        let frame = offset..offset.saturating_add(header.frame_bytes() as u64);
        if header.frame_bytes() > bytes.len() && frame.end <= self.end {
            return self.alone(offset, &self.bytes(frame)?);
        }
        let header = read_frame(bytes, self.seed).map_err(|fault| damaged(fault.reason()))?;
        if matches!(header.kind, KIND_GROUP | KIND_GAP) {
            return Err(damaged("no record stands here"));
        }
        // Of what was read beside it nothing is held on to.
        let own = bytes.get(..header.frame_bytes()).unwrap_or_default();
        Record::of_frame(own.into(), 0, header).map_err(|_| damaged("the record is too large"))
    }

    /// The bytes of this stretch, all of which are there.
    fn bytes(&self, stretch: Range<u64>) -> Result<Vec<u8>, ReadFault> {
        let length = stretch.end.saturating_sub(stretch.start);
        let mut buffer = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        if read_full(self.file, &mut buffer, stretch.start)? < buffer.len() {
            return Err(ReadFault::Damaged(stretch.start, TOO_SHORT));
        }
        Ok(buffer)
    }

    /// The next bytes, read to where the records share them.
    fn read(&self, bytes: usize) -> Result<Arc<[u8]>, ReadFault> {
        debug_assert!(self.offset >= HEADER_BYTES, "frames begin after the header");
        let mut buffer: Arc<[u8]> = std::iter::repeat_n(0, bytes).collect();
        // Nobody else has it yet.
        let own = Arc::get_mut(&mut buffer).unwrap_or_default();
        let count = read_full(self.file, own, self.offset)?;
        if count < bytes {
            return Err(ReadFault::Damaged(self.offset, TOO_SHORT));
        }
        Ok(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Access, Disk, MemoryDisk};
    use crate::record::frame::{BODY_VERSION, KIND_EVENT, seal_frame};

    const SEED: u32 = 7;
    /// Bytes of bodies: some longer than what is read of a record alone, the last one too.
    const BODIES: [usize; 4] = [10, 2_000, 40, 900];

    /// A file of sealed frames, with their offsets and its end.
    fn file() -> (Box<dyn DiskFile>, Vec<u64>, u64) {
        let (mut bytes, mut offsets, mut chain) = (vec![0; HEADER_BYTES as usize], Vec::new(), 0);
        for (at, body) in BODIES.iter().enumerate() {
            let header = FrameHeader {
                length: *body as u32,
                sequence: at as u64 + 1,
                kind: KIND_EVENT,
                schema: BODY_VERSION,
                ..FrameHeader::default()
            };
            let start = bytes.len();
            offsets.push(start as u64);
            bytes.extend_from_slice(&header.to_bytes());
            bytes.resize(start + header.frame_bytes(), at as u8);
            chain = seal_frame(&mut bytes[start..], chain, SEED);
        }
        let file = MemoryDisk::default().open("log", Access::Create).expect("made");
        file.write_at(&bytes, 0).expect("written");
        (file, offsets, bytes.len() as u64)
    }

    fn at(file: &dyn DiskFile, end: u64, offsets: &[u64]) -> Result<Vec<u64>, ReadFault> {
        let frames = Frames { file, seed: SEED, offset: HEADER_BYTES, end, chain: None };
        let number = |record: &Record| record.position().to_engine();
        Ok(frames.at(offsets)?.iter().map(number).collect())
    }

    #[test]
    fn frames_that_are_read_at_once_are_those_that_are_read_alone() {
        let (file, offsets, end) = file();
        assert_eq!(at(&*file, end, &offsets).ok(), Some(vec![1, 2, 3, 4]));
        assert_eq!(at(&*file, end, &[offsets[3], offsets[0]]).ok(), Some(vec![4, 1]));
        for (number, offset) in (1..).zip(&offsets) {
            assert_eq!(at(&*file, end, &[*offset]).ok(), Some(vec![number]));
        }
        assert_eq!(at(&*file, end, &[]).ok(), Some(Vec::new()));
    }

    #[test]
    fn damage_is_told_where_it_is_and_only_to_who_asks_for_it() {
        let (file, offsets, end) = file();
        file.write_at(&[0xff], offsets[1] + 1_000).expect("written");
        let fault = at(&*file, end, &offsets).err();
        assert!(matches!(fault, Some(ReadFault::Damaged(place, _)) if place == offsets[1]));
        assert_eq!(
            at(&*file, end, &[offsets[0], offsets[2], offsets[3]]).ok(),
            Some(vec![1, 3, 4])
        );
        // Neither where no frame begins nor behind the durable end is there a record.
        assert!(at(&*file, end, &[offsets[2] + 1]).is_err());
        assert!(at(&*file, end, &[end]).is_err());
        assert!(at(&*file, offsets[3], &[offsets[3]]).is_err());
    }
}
