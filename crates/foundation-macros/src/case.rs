//! The names that serde's `rename_all` gives to fields and variants.

/// A way to write a name of several words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const CASES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    /// The case of this name; serde itself refuses a name that it does not have.
    pub(crate) fn of(name: &str) -> Option<Self> {
        CASES.iter().find(|(own, _)| *own == name).map(|(_, case)| *case)
    }

    /// How a field is called whose name in the code is this.
    pub(crate) fn of_field(self, ident: &str) -> String {
        match self {
            Self::Lower | Self::Snake => ident.to_owned(),
            Self::Upper | Self::ScreamingSnake => ident.to_ascii_uppercase(),
            Self::Pascal => pascal(ident),
            Self::Camel => uncapitalised(&pascal(ident)),
            Self::Kebab => ident.replace('_', "-"),
            Self::ScreamingKebab => ident.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// How a variant is called whose name in the code is this.
    pub(crate) fn of_variant(self, ident: &str) -> String {
        match self {
            Self::Lower => ident.to_ascii_lowercase(),
            Self::Upper => ident.to_ascii_uppercase(),
            Self::Pascal => ident.to_owned(),
            Self::Camel => uncapitalised(ident),
            Self::Snake => snake(ident),
            Self::ScreamingSnake => snake(ident).to_ascii_uppercase(),
            Self::Kebab => snake(ident).replace('_', "-"),
            Self::ScreamingKebab => snake(ident).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

/// `RateLimit` as `rate_limit`.
pub(crate) fn snake(ident: &str) -> String {
    let mut name = String::new();
    for (at, character) in ident.char_indices() {
        if at > 0 && character.is_uppercase() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

fn pascal(ident: &str) -> String {
    ident.split('_').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    changed_first(word, |first| first.to_ascii_uppercase())
}

fn uncapitalised(word: &str) -> String {
    changed_first(word, |first| first.to_ascii_lowercase())
}

fn changed_first(word: &str, change: impl Fn(char) -> char) -> String {
    let mut characters = word.chars();
    characters.next().map(change).into_iter().chain(characters).collect()
}
