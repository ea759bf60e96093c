//! Tables as an application meets them: declared, kept or not, asked for wrongly.

use std::time::Duration;

use foundation::{ErrorKind, Foundation, Keep};

use super::directory;

async fn with_tables(directory: &tempfile::TempDir) -> Foundation {
    let builder = Foundation::builder(directory.path().join("store"))
        .table::<String, Vec<u32>>("sessions", Keep::Log)
        .table::<u32, String>("fleeting", Keep::Nothing);
    builder.start().await.expect("starts")
}

#[tokio::test]
async fn what_is_kept_is_there_after_a_restart_and_what_is_not_is_gone() {
    let directory = directory();
    let first = with_tables(&directory).await;
    let sessions = first.table::<String, Vec<u32>>("sessions").expect("is known");
    let fleeting = first.table::<u32, String>("fleeting").expect("is known");
    sessions.insert("ada".to_owned(), vec![1]).await.expect("may enter");
    sessions.insert("bob".to_owned(), vec![2]).await.expect("may enter");
    sessions.remove(&"ada".to_owned()).await.expect("is there");
    fleeting.insert(1, "a".to_owned()).await.expect("may enter");
    assert_eq!(first.status().journal.records, 3);
    let rows: Vec<_> =
        first.status().tables.into_iter().map(|one| (one.name, one.entries)).collect();
    assert_eq!(rows, [("fleeting".to_owned(), 1), ("sessions".to_owned(), 1)]);
    first.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");

    for outcome in [
        sessions.insert("cleo".to_owned(), vec![]).await.map(drop),
        fleeting.insert(2, "b".to_owned()).await.map(drop),
    ] {
        assert_eq!(outcome.expect_err("is closed").kind(), ErrorKind::Unavailable);
    }
    assert_eq!(sessions.get("bob").as_deref(), Some(&vec![2]), "what it had is read");

    let second = with_tables(&directory).await;
    let sessions = second.table::<String, Vec<u32>>("sessions").expect("is known");
    let fleeting = second.table::<u32, String>("fleeting").expect("is known");
    assert_eq!((sessions.len(), sessions.version().number()), (1, 3));
    assert!(fleeting.is_empty());
    assert_eq!(second.verify().await.expect("reads").findings, []);
}

#[tokio::test]
async fn a_table_is_declared_and_asked_for_rightly_or_told_how() {
    let directory = directory();
    let foundation = with_tables(&directory).await;
    let error = foundation.table::<String, Vec<u32>>("sesions").expect_err("no such name");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "there is no table \"sesions\", did you mean sessions?");
    let error = foundation.table::<String, u32>("sessions").expect_err("other types");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "table \"sessions\" leads from alloc::string::String to alloc::vec::Vec<u32>, \
         not from alloc::string::String to u32"
    );
    let twice = || Foundation::in_memory().table::<u8, u8>("a", Keep::Log);
    let cases = [
        (twice().table::<u8, u8>("a", Keep::Nothing), ErrorKind::InvalidArgument),
        (twice().table::<u8, u8>("", Keep::Log), ErrorKind::Invalid),
        (twice().table::<u8, u8>("a b", Keep::Log), ErrorKind::Invalid),
        (twice().table::<u8, u8>(&"x".repeat(65), Keep::Log), ErrorKind::TooLarge),
    ];
    for (builder, kind) in cases {
        assert_eq!(builder.start().await.expect_err("is refused").kind(), kind);
    }
}

#[tokio::test]
async fn a_table_is_looked_at_beside_its_owner_and_not_changed() {
    let directory = directory();
    let owner = with_tables(&directory).await;
    let sessions = owner.table::<String, Vec<u32>>("sessions").expect("is known");
    sessions.insert("ada".to_owned(), vec![1]).await.expect("may enter");
    let builder = Foundation::builder(directory.path().join("store")).peek();
    let look = builder.table::<String, Vec<u32>>("sessions", Keep::Log).start().await;
    let look = look.expect("takes no lock");
    let sessions = look.table::<String, Vec<u32>>("sessions").expect("is known");
    assert_eq!(sessions.get("ada").as_deref(), Some(&vec![1]));
    let error = sessions.insert("bob".to_owned(), vec![]).await.expect_err("is for reading");
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
}
