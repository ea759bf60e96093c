//! Asking a running node through its socket.

use std::io;
use std::path::Path;

use foundation_types::{Error, ErrorKind, Result};
use tokio::net::UnixStream;

use super::calls::{Call, Request};
use super::frame::{self, Reply};
use super::place::Place;

/// A connection to the node that owns a directory.
#[derive(Debug)]
pub struct Client {
    /// Absent while a call is on its way, and for good if nobody waited for its answer: the next
    /// thing that comes would be taken for the answer to another call.
    stream: Option<UnixStream>,
}

impl Client {
    /// Connects to the node that serves this directory; `None` if none does.
    ///
    /// # Errors
    /// `Denied` if the node is another user's, `Unavailable` if the system does not let us.
    pub async fn connect(directory: &Path) -> Result<Option<Self>> {
        let connect = async {
            let place = Place::of(directory)?;
            UnixStream::connect(&place.path).await
        };
        match connect.await {
            Ok(stream) => Ok(Some(Self { stream: Some(stream) })),
            Err(cause) => match cause.kind() {
                // A socket without a listener is what a killed node leaves behind.
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                io::ErrorKind::NotADirectory => Ok(None),
                kind => {
                    let kind = match kind {
                        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
                        _ => ErrorKind::Unavailable,
                    };
                    let shown = directory.display();
                    let message = format!("cannot reach the node that serves {shown}: {cause}");
                    Err(Error::new(kind, message).caused_by(cause))
                }
            },
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// What the node answers. `TooLarge` for a call that the socket does not carry, `Unavailable` if
    /// the call before was not waited for; nothing was applied. If the connection ends meanwhile:
    /// `Indeterminate` for a call that writes, `Unavailable` for any other.
    pub async fn call<C: Call>(&mut self, call: C) -> Result<C::Answer> {
        let request: Request = call.into();
        let bytes = serde_json::to_vec(&request).map_err(|cause| {
            Error::new(ErrorKind::Internal, "a request cannot be written as JSON").caused_by(cause)
        })?;
        if bytes.len() > frame::FRAME_BYTES_MAX as usize {
            return Err(too_large(bytes.len()));
        }
        let Some(mut stream) = self.stream.take() else {
            let message = "the connection was left in the middle of a call: connect anew";
            return Err(Error::new(ErrorKind::Unavailable, message));
        };
        let asked = async {
            frame::write(&mut stream, &bytes).await?;
            frame::read(&mut stream).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        };
        let bytes = asked.await.map_err(|cause: io::Error| lost::<C>(cause))?;
        self.stream = Some(stream);
        let unreadable = |cause| {
            Error::new(
                ErrorKind::Internal,
                "the answer of the node cannot be read: are the two of the same version?",
            )
            .caused_by(cause)
        };
        match serde_json::from_slice::<Reply>(&bytes).map_err(unreadable)? {
            Reply::Answer(json) => serde_json::from_str(json.get()).map_err(unreadable),
            Reply::Error(report) => Err(Error::from(*report)),
        }
    }
}

fn too_large(bytes: usize) -> Error {
    let message = format!(
        "the request has {bytes} bytes, the control socket carries {}: ask for less at a time",
        frame::FRAME_BYTES_MAX
    );
    Error::new(ErrorKind::TooLarge, message)
}

fn lost<C: Call>(cause: io::Error) -> Error {
    let (kind, message) = if C::WRITES {
        (ErrorKind::Indeterminate, "the node went away before it answered a write")
    } else {
        (ErrorKind::Unavailable, "the node went away before it answered")
    };
    Error::new(kind, message).caused_by(cause)
}
