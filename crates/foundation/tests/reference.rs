//! The page of Foundation's own settings says what the struct says.

use foundation::Settings;
use foundation::config::Reference;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");

/// The page as it should be.
fn page() -> String {
    let table = Reference::of::<Settings>().expect("its default is a tree").markdown();
    format!(
        "# Settings\n\nThe document `foundation`: how Foundation itself behaves. Every field can be changed while it runs, by\n\
         `foundation config set FIELD VALUE`, and `foundation config fields` shows them with their values. This page is made from the\n\
         struct; a test keeps it so.\n\n{table}"
    )
}

#[test]
fn the_page_of_the_settings_is_current() {
    let page = page();
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(PAGE, &page).expect("may be written");
    }
    let committed = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        committed == page,
        "docs/settings.md is not what the struct says; to rewrite it: \
         REWRITE=1 cargo test -p foundation --test all reference"
    );
}
