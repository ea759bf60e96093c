//! Serving calls on the socket of a directory.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::error::ErrorReport;
use foundation_types::{Error, ErrorKind, Result};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::answer::answer;
use super::calls::Request;
use super::frame::{self, Reply};
use super::place::Place;
use crate::node::Node;
use crate::tasks::StopSignal;

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// How long a connection may be silent while others wait to be accepted.
const SILENCE_MAX: Duration = Duration::from_secs(1);
/// How long it may take to read an answer while others wait.
const READING_MAX: Duration = Duration::from_secs(30);

/// A socket that listens. Dropping it removes its file.
pub struct ControlSocket {
    listener: UnixListener,
    place: Place,
    /// Device and number of the file, to tell it from that of a later node.
    file: (u64, u64),
    /// The user who may connect.
    user: u32,
}

impl ControlSocket {
    /// Listens in this directory, which the caller owns: a socket that is there is a dead one's.
    ///
    /// # Errors
    /// `Disk` if the system does not let us.
    pub fn bind(directory: &Path) -> Result<Self> {
        let bind = || -> io::Result<Self> {
            let place = Place::of(directory)?;
            match std::fs::remove_file(&place.path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
            let listener = UnixListener::bind(&place.path)?;
            std::fs::set_permissions(&place.path, Permissions::from_mode(0o600))?;
            let file = identity_of(&place.path)?;
            // Ours, whoever else can write to the directory: asked of the system, not of a file.
            let user = UnixStream::pair()?.0.peer_cred()?.uid();
            Ok(Self { listener, place, file, user })
        };
        bind().map_err(|cause| {
            let shown = directory.display();
            let message = format!("cannot listen on the control socket in {shown}: {cause}");
            Error::new(ErrorKind::Disk, message).caused_by(cause)
        })
    }

    /// Answers calls until told to stop; then finishes the calls that are being answered.
    pub async fn serve(self, node: Arc<Node>, mut stop: StopSignal) {
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let permit = tokio::select! {
                () = stop.stopped() => break,
                permit = room.clone().acquire_owned() => permit,
            };
            let stream = tokio::select! {
                () = stop.stopped() => break,
                stream = self.listener.accept() => stream,
            };
            while connections.try_join_next().is_some() {}
            match stream {
                Ok((stream, _)) => {
                    let (node, stop, user) = (node.clone(), stop.clone(), self.user);
                    let room = room.clone();
                    connections.spawn(async move {
                        let _permit = permit;
                        converse(stream, &node, &room, stop, user).await;
                    });
                }
                Err(cause) => {
                    // Out of file descriptors, most likely: those in use will come back.
                    tracing::warn!(%cause, "a connection to the control socket failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        while connections.join_next().await.is_some() {}
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Gone already is as good, and what another node made since is not ours to remove.
        if identity_of(&self.place.path).is_ok_and(|file| file == self.file) {
            let _ = std::fs::remove_file(&self.place.path);
        }
    }
}

fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    let file = std::fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

impl std::fmt::Debug for ControlSocket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ControlSocket").field("path", &self.place.path).finish_non_exhaustive()
    }
}

/// Waits until there is no room for another connection, and this long at least.
async fn crowded(room: &Semaphore, at_least: Duration) {
    loop {
        tokio::time::sleep(at_least).await;
        if room.available_permits() == 0 {
            return;
        }
    }
}

async fn converse(
    mut stream: UnixStream,
    node: &Node,
    room: &Semaphore,
    mut stop: StopSignal,
    user: u32,
) {
    let peer = stream.peer_cred().map(|peer| peer.uid());
    if !peer.as_ref().is_ok_and(|peer| *peer == user) {
        let message = "the control socket is for the user who runs the node";
        let _ = reply(&mut stream, Err(Error::new(ErrorKind::Denied, message))).await;
        return;
    }
    loop {
        let request = tokio::select! {
            () = stop.stopped() => return,
            request = frame::read(&mut stream) => request,
            // Who says nothing makes room for who has something to say.
            () = crowded(room, SILENCE_MAX) => return,
        };
        let outcome = match request {
            Ok(None) => return,
            Ok(Some(bytes)) => handle(node, &bytes).await,
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                let error = Error::new(ErrorKind::TooLarge, cause.to_string());
                let _ = reply(&mut stream, Err(error)).await;
                return;
            }
            Err(_) => return,
        };
        let replied = tokio::select! {
            replied = reply(&mut stream, outcome) => replied,
            () = crowded(room, READING_MAX) => return,
        };
        if replied.is_err() {
            return;
        }
    }
}

async fn handle(node: &Node, bytes: &[u8]) -> Result<Box<serde_json::value::RawValue>> {
    let request: Request = serde_json::from_slice(bytes).map_err(|cause| {
        Error::new(ErrorKind::Malformed, "the control socket does not understand the request")
            .caused_by(cause)
    })?;
    answer(node, true, request).await
}

async fn reply(
    stream: &mut UnixStream,
    outcome: Result<Box<serde_json::value::RawValue>>,
) -> io::Result<()> {
    let reply = match outcome {
        Ok(answer) => Reply::Answer(answer),
        Err(error) => Reply::Error(Box::new(ErrorReport::from(&error))),
    };
    let mut bytes = serde_json::to_vec(&reply)?;
    if bytes.len() > frame::FRAME_BYTES_MAX as usize {
        let message = format!(
            "the answer has {} bytes, the control socket carries {}: ask for less at a time",
            bytes.len(),
            frame::FRAME_BYTES_MAX
        );
        let error = Error::new(ErrorKind::TooLarge, message);
        bytes = serde_json::to_vec(&Reply::Error(Box::new(ErrorReport::from(&error))))?;
    }
    frame::write(stream, &bytes).await
}
