//! Frames on the socket: a length of four bytes, little-endian, then JSON.

use std::io;

use foundation_types::error::ErrorReport;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Largest frame in either direction, in bytes: a full batch of events with room around it.
pub(super) const FRAME_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// What a request is answered with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// The answer of the call.
    Answer(Box<RawValue>),
    /// Why there is none.
    Error(Box<ErrorReport>),
}

/// Reads one frame; `None` if the peer ended before one began.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length).await {
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(cause) => return Err(cause),
    }
    let length = u32::from_le_bytes(length);
    if length > FRAME_BYTES_MAX {
        let message = format!("a frame of {length} bytes is larger than {FRAME_BYTES_MAX}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    // Memory grows with what comes, not with what is announced.
    let mut bytes = Vec::new();
    from.take(length.into()).read_to_end(&mut bytes).await?;
    if bytes.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

/// Writes one frame.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let too_large = || io::Error::new(io::ErrorKind::InvalidData, "the frame is too large");
    let length = u32::try_from(bytes.len()).map_err(|_| too_large())?;
    if length > FRAME_BYTES_MAX {
        return Err(too_large());
    }
    to.write_all(&length.to_le_bytes()).await?;
    to.write_all(bytes).await?;
    to.flush().await
}
