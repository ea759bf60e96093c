//! Leading a document back to an earlier version.
//!
//! A secret that a file or the environment said at that version is not in the log. It comes back as
//! the sources say it now, which the answer names, or not at all, which is refused: what is there at
//! present never stands in for it.

use foundation_logic::config::{Layers, hidden_secrets};
use foundation_logic::lens;
use foundation_types::path::dotted;
use foundation_types::{Document, Error, ErrorKind, Path, Problem, Result, Value, Version};
use foundation_validate::ChangeRequest;

use super::server::ConfigServer;
use super::update::Updated;

impl<T: Document> ConfigServer<T> {
    /// Makes the document what it was at an earlier version.
    pub(super) async fn go_back(&self, to: Version, request: ChangeRequest) -> Result<Updated> {
        let request = self.request_back_to(to, request).await?;
        let as_sourced = request.withdrawn.clone();
        let updated = self.update(request).await?;
        Ok(Updated { as_sourced, ..updated })
    }

    /// The request with what leads back to a version before its edits, and with the places of secrets
    /// that are as the sources say now.
    pub(super) async fn request_back_to(
        &self,
        version: Version,
        mut request: ChangeRequest,
    ) -> Result<ChangeRequest> {
        let mut tree = self.tree_at(version).await?;
        let layers = self.state.layers();
        let mut lost = Vec::new();
        for steps in hidden_secrets(&tree) {
            let path = Path::from_segments(steps.iter().cloned()).ok();
            let found = path.and_then(|path| Some((self.said_now(&layers, &path)?, path)));
            let Some((secret, path)) = found else {
                lost.push(not_kept(&dotted(&steps), version));
                continue;
            };
            tree = lens::set(&tree, &path, secret)?;
            if is_said(&layers, &path) {
                request.withdrawn.push(path);
            }
        }
        if !lost.is_empty() {
            return Err(Error::of_problems(lost).with("document", T::NAME));
        }
        request.edits.insert(0, (Path::root(), Some(tree)));
        Ok(request)
    }

    /// The secret that stands at a place where only the sources count; of a document that never had
    /// any it is the default.
    fn said_now(&self, layers: &Layers, path: &Path) -> Option<Value> {
        if !is_said(layers, path) && self.timeline().was_sourced() {
            return None;
        }
        lens::get(layers.tree(), path).filter(|value| matches!(value, Value::Secret(_))).cloned()
    }
}

fn is_said(layers: &Layers, path: &Path) -> bool {
    layers.said().iter().any(|one| lens::get(one.tree(), path).is_some())
}

fn not_kept(place: &str, version: Version) -> Problem {
    let message = format!(
        "the secret that a file or the environment said at version {version} is not kept, and no \
         source says one now: put it back there, or set what you need of that version by itself"
    );
    Problem::new(ErrorKind::SecretUnknown, place, message)
}
