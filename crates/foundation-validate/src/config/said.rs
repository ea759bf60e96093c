//! What one source of configuration says, and where in it each value stands.

use std::collections::BTreeMap;
use std::fmt;

use foundation_types::config::{Origin, Shape};
use foundation_types::value::to_value;
use foundation_types::{Document, ErrorKind, Path, Problem, Value};

use super::document::typed;
use super::known::unknown_keys;
use super::secrets::with_secrets;
use crate::parse::{FileFormat, FileText, Place, Written};

/// What one file, or the environment, says of a document.
///
/// Its `Debug` shows no value: which ones are secret is not known before they have their type.
#[derive(Clone, PartialEq)]
pub struct Said {
    tree: Value,
    source: Source,
}

#[derive(Clone, PartialEq)]
enum Source {
    File { name: String, text: FileText, written: Written },
    Environment(BTreeMap<Path, String>),
}

impl Said {
    /// What a file of this name says.
    ///
    /// # Errors
    /// As [`FileText::of`] and [`FileText::read`], with the file as context.
    pub fn by_file(
        name: &str,
        bytes: Vec<u8>,
        format: FileFormat,
    ) -> foundation_types::Result<Self> {
        let read = FileText::of(bytes).and_then(|text| {
            let written = text.read(format)?;
            let tree = written.tree.clone();
            Ok(Self { tree, source: Source::File { name: name.to_owned(), text, written } })
        });
        read.map_err(|error| error.with("file", name))
    }

    /// What these variables say.
    pub(super) fn by_environment(tree: Value, variables: BTreeMap<Path, String>) -> Self {
        Self { tree, source: Source::Environment(variables) }
    }

    /// The tree that it says; an empty map if it says nothing.
    #[must_use]
    pub fn tree(&self) -> &Value {
        &self.tree
    }

    /// The name of the file, or `environment`.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.source {
            Source::File { name, .. } => name,
            Source::Environment(_) => "environment",
        }
    }

    /// Whether it is a file with nothing but blanks and comments: one that is about to be written may
    /// look so.
    #[must_use]
    pub fn is_empty_file(&self) -> bool {
        matches!(&self.source, Source::File { text, .. } if text.is_empty())
    }

    /// The same with what the fields of the document say is secret known as such.
    #[must_use]
    pub fn with_secrets<T: Document>(mut self) -> Self {
        self.tree = with_secrets::<T>(&Path::root(), self.tree);
        self
    }

    /// The same without what it says at a path.
    #[must_use]
    pub fn without(mut self, path: &Path) -> Self {
        if let Some(tree) = super::place::altered(&self.tree, path.segments(), None) {
            self.tree = tree;
        }
        self
    }

    /// Where the value at a path, or what is around it, is written.
    #[must_use]
    pub fn origin(&self, path: &Path) -> Origin {
        self.origin_by(path, |place| place.value.start)
    }

    fn origin_by(&self, path: &Path, begin: fn(&Place) -> usize) -> Origin {
        match &self.source {
            Source::File { name, text, written } => match written.place(path) {
                Some(place) => {
                    let (line, column) = text.line_and_column(begin(place));
                    Origin::File { file: name.clone(), line, column }
                }
                None => Origin::file(name),
            },
            Source::Environment(variables) => {
                let nearest = variables.iter().find(|(place, _)| place.overlaps(path));
                let variable = nearest.map(|(_, variable)| variable.clone()).unwrap_or_default();
                Origin::Environment { variable }
            }
        }
    }

    /// The problem with where it is written, if it is here; with an excerpt, unless it is secret.
    fn place(&self, problem: Problem, fields: Shape) -> Problem {
        let Ok(path) = problem.path.parse::<Path>() else {
            // A key that no path can name: what is around it has a place.
            let mut around = problem.path.match_indices('.').rev();
            let around = around.find_map(|(end, _)| problem.path[..end].parse().ok());
            return problem.at(self.origin(&around.unwrap_or_default()));
        };
        // Of a key that is not known the key is wrong, whatever its value.
        let begin: fn(&Place) -> usize = match problem.kind {
            ErrorKind::UnknownKey => |place| place.key.start,
            _ => |place| place.value.start,
        };
        let mut problem = problem.at(self.origin_by(&path, begin));
        if let Source::File { text, written, .. } = &self.source
            && let Some(place) = written.place(&path)
            && !is_secret(fields, &path)
        {
            // What is under a key that is not known may be a secret whose key is mistyped.
            let shown = match problem.kind {
                ErrorKind::UnknownKey => text.excerpt_of_key(place),
                _ => text.excerpt(place),
            };
            problem.excerpt = Some(shown.text);
            problem.excerpt_from = (shown.column > 1).then_some(shown.column);
        }
        problem
    }

    /// What of it fits no document of this type whatever the other sources say: keys that it does
    /// not have, and values that its fields do not take.
    #[must_use]
    pub fn misfits<T: Document>(&self, on_defaults: &Value) -> Vec<Problem> {
        let found = match typed::<T>(on_defaults) {
            Err(found) => found,
            Ok(document) => match to_value(&document) {
                Ok(tree) => unknown_keys::<T>(on_defaults, &tree),
                Err(_) => Vec::new(),
            },
        };
        let fields = Shape::Fields(T::FIELDS);
        found.into_iter().map(|problem| self.place(problem, fields)).collect()
    }
}

/// The problems of a document with where what is wrong is written: in the strongest source that has
/// a value there.
#[must_use]
pub fn placed<T: Document>(problems: Vec<Problem>, weakest_first: &[Said]) -> Vec<Problem> {
    let fields = Shape::Fields(T::FIELDS);
    let place = |problem: Problem| {
        let Ok(path) = problem.path.parse::<Path>() else { return problem };
        let has = |said: &&Said| !path.is_root() && has_value(&said.tree, &path);
        match weakest_first.iter().rev().find(has) {
            Some(said) if problem.origin.is_none() => said.place(problem, fields),
            _ => problem,
        }
    };
    problems.into_iter().map(place).collect()
}

fn has_value(tree: &Value, path: &Path) -> bool {
    super::place::at(tree, path.segments()).is_some()
}

/// Whether something at, in or around a path is for nobody's eyes.
#[must_use]
pub fn is_secret(fields: Shape, path: &Path) -> bool {
    let steps = path.segments();
    let around = (1..=steps.len()).any(|end| {
        let Some((last, outer)) = steps[..end].split_last() else { return false };
        let foundation_types::path::Segment::Key(key) = last else { return false };
        let known = fields.at(outer).map_or(&[][..], Shape::fields);
        known.iter().any(|field| *field.name == **key && field.secret)
    });
    around || fields.at(steps).is_some_and(Shape::has_secret)
}

impl fmt::Debug for Said {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = out.debug_struct("Said");
        match &self.source {
            Source::File { name, .. } => told.field("file", name),
            Source::Environment(variables) => told.field("variables", &variables.len()),
        };
        told.finish_non_exhaustive()
    }
}
