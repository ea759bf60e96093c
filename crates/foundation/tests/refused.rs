//! What must not compile, and what the compiler says about it.

/// The words are partly the compiler's, and change with it. To take over what it says now:
/// `TRYBUILD=overwrite cargo test -p foundation --test all refused`, and read the difference.
#[test]
fn what_cannot_be_right_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
