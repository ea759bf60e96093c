//! A way into a document that the compiler has checked: where, of which type, and how to get there.

use std::fmt;
use std::sync::Arc;

use super::field::Field;
use super::shape::Shape;
use crate::path::{Path, Segment};

/// A place in a `Root` where a `T` is; made by [`lens!`](crate::lens).
///
/// It keeps the laws of lenses: what was put is what is got, putting what is there changes
/// nothing, and of two values put the second stays.
///
/// ```
/// use foundation_types::config::{BufferSettings, Lens};
/// use foundation_types::{Settings, lens};
///
/// let buffer = lens!(Settings, events.buffer);
/// let most: Lens<Settings, u64> = buffer.then(lens!(BufferSettings, max_events));
/// assert_eq!(most.path().to_string(), "events.buffer.max_events");
///
/// let mut settings = Settings::default();
/// most.set(&mut settings, 50);
/// assert_eq!(*most.get(&settings), 50);
/// assert_eq!(settings.events.buffer.max_events, 50);
/// ```
pub struct Lens<Root, T>(Way<Root, T>);

/// How a lens gets to its place.
enum Way<Root, T> {
    /// Along fields. The path is made when it is first asked for, and then kept by the program.
    Fields { path: fn() -> &'static Path, get: fn(&Root) -> &T, get_mut: fn(&mut Root) -> &mut T },
    /// Through another place.
    Through { path: Path, steps: Arc<dyn Steps<Root, T>> },
}

/// Two lenses, one after the other, without the type of the place between them.
trait Steps<Root, T>: Send + Sync {
    fn get<'a>(&self, root: &'a Root) -> &'a T;
    fn get_mut<'a>(&self, root: &'a mut Root) -> &'a mut T;
}

impl<Root, Middle: 'static, T> Steps<Root, T> for (Lens<Root, Middle>, Lens<Middle, T>) {
    fn get<'a>(&self, root: &'a Root) -> &'a T {
        self.1.get(self.0.get(root))
    }

    fn get_mut<'a>(&self, root: &'a mut Root) -> &'a mut T {
        self.1.get_mut(self.0.get_mut(root))
    }
}

impl<Root, T> Lens<Root, T> {
    /// What [`lens!`](crate::lens) makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_fields(
        path: fn() -> &'static Path,
        get: fn(&Root) -> &T,
        get_mut: fn(&mut Root) -> &mut T,
    ) -> Self {
        Self(Way::Fields { path, get, get_mut })
    }

    /// Where it leads, as the document is serialised.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.0 {
            Way::Fields { path, .. } => path(),
            Way::Through { path, .. } => path,
        }
    }

    /// What is there.
    #[must_use]
    pub fn get<'a>(&self, root: &'a Root) -> &'a T {
        match &self.0 {
            Way::Fields { get, .. } => get(root),
            Way::Through { steps, .. } => steps.get(root),
        }
    }

    /// What is there, to be changed in place.
    #[must_use]
    pub fn get_mut<'a>(&self, root: &'a mut Root) -> &'a mut T {
        match &self.0 {
            Way::Fields { get_mut, .. } => get_mut(root),
            Way::Through { steps, .. } => steps.get_mut(root),
        }
    }

    /// Puts a value there.
    pub fn set(&self, root: &mut Root, value: T) {
        *self.get_mut(root) = value;
    }
}

impl<Root: 'static, T: 'static> Lens<Root, T> {
    /// The lens that leads on from this place.
    #[must_use]
    pub fn then<Inner: 'static>(self, inner: Lens<T, Inner>) -> Lens<Root, Inner> {
        let path = self.path().followed_by(inner.path());
        Lens(Way::Through { path, steps: Arc::new((self, inner)) })
    }
}

impl<Root, T> Clone for Lens<Root, T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Way::Fields { path, get, get_mut } => {
                Way::Fields { path: *path, get: *get, get_mut: *get_mut }
            }
            Way::Through { path, steps } => {
                Way::Through { path: path.clone(), steps: Arc::clone(steps) }
            }
        })
    }
}

impl<Root, T> fmt::Debug for Lens<Root, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Lens").field(&self.path().to_string()).finish()
    }
}

/// The way to a field: `lens!(Shop, payment.retry_limit)` is a
/// [`Lens<Shop, u32>`](crate::config::Lens) if that field is a `u32`.
///
/// Fields are written as in the code; the path has their names as serialised. What is no field, or
/// no part of the document, does not compile.
///
/// ```
/// use foundation_types::{Settings, lens};
/// let level = lens!(Settings, log.level);
/// assert_eq!(level.path().to_string(), "log.level");
/// assert_eq!(*level.get(&Settings::default()), Default::default());
/// ```
#[macro_export]
macro_rules! lens {
    ($root:ty, $($field:ident).+) => {{
        const STEPS: &[&str] = &[$(stringify!($field)),+];
        static PATH: ::std::sync::LazyLock<$crate::Path> = ::std::sync::LazyLock::new(|| {
            $crate::config::path_of_fields(<$root as $crate::config::Shaped>::SHAPE, STEPS)
        });
        const _: () = ::core::assert!(
            $crate::config::has_fields(<$root as $crate::config::Shaped>::SHAPE, STEPS),
            "this field is no part of the document: it is skipped, opaque or written by a function"
        );
        $crate::config::Lens::of_fields(
            || &PATH,
            |root: &$root| &root.$($field).+,
            |root: &mut $root| &mut root.$($field).+,
        )
    }};
}

/// The field that the code calls so.
const fn field(shape: Shape, ident: &str) -> Option<&'static Field> {
    let fields = shape.fields();
    let mut at = 0;
    while at < fields.len() {
        if let Some(own) = fields[at].ident
            && is_same(own, ident)
        {
            return Some(&fields[at]);
        }
        at += 1;
    }
    None
}

const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

/// Whether there are these fields, one inside the other.
#[doc(hidden)]
#[must_use]
pub const fn has_fields(mut shape: Shape, idents: &[&str]) -> bool {
    let mut at = 0;
    while at < idents.len() {
        let Some(field) = field(shape, idents[at]) else { return false };
        shape = field.shape;
        at += 1;
    }
    true
}

/// The path of fields that [`has_fields`] has found.
#[doc(hidden)]
#[must_use]
pub fn path_of_fields(mut shape: Shape, idents: &[&str]) -> Path {
    let mut segments = Vec::new();
    for ident in idents {
        let Some(field) = field(shape, ident) else { break };
        segments.push(Segment::Key(field.name.into()));
        shape = field.shape;
    }
    Path::of_checked(segments)
}
