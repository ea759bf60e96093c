//! Tables: put, read, removed, refused, with types and without.

use foundation::{Foundation, Keep};

use super::running::{Store, both, objects};

#[test]
fn what_is_put_is_read_back_and_told_by_events() {
    both(|store| {
        let told = store.ok(&["table", "put", "visits", "ada", "1", "--create"]);
        assert_eq!(told, "put, there was nothing before\n");
        assert_eq!(store.ok(&["table", "put", "visits", "ada", "2"]), "put, instead of 1\n");
        store.ok(&["table", "put", "visits", "-7", "-"]);
        assert_eq!(store.ok(&["table", "get", "visits", "ada"]), "2\n");
        let rows = objects(&store.ok(&["table", "get", "visits"]));
        assert_eq!(rows.len(), 2);
        assert_eq!((&rows[0]["key"], &rows[0]["value"]), (&"ada".into(), &2.into()));
        assert_eq!((&rows[1]["key"], &rows[1]["value"]), (&(-7).into(), &"".into()));
        assert_eq!(store.json(&["table", "get", "visits"]).as_array().map(Vec::len), Some(2));
        assert_eq!(
            store.ok(&["table", "list"]),
            "visits  2 entries  after 3 changes  in the log, its types are not known here\n"
        );
        assert_eq!(store.ok(&["table", "remove", "visits", "ada"]), "removed 2\n");
        let events = objects(&store.ok(&["events", "query", "--stream", "table/visits"]));
        assert_eq!(events.len(), 4);
        assert_eq!(events[3]["type"], "foundation.table.removed");
        assert_eq!(events[3]["data"]["key"], "ada");
    });
}

#[test]
fn a_number_of_any_size_stays_as_it_was_typed() {
    let store = Store::new();
    let number = "123456789012345678901234567890";
    store.ok(&["table", "put", "t", "a", number, "--create"]);
    assert_eq!(store.ok(&["table", "get", "t", "a"]), format!("{number}\n"));
}

#[test]
fn bad_words_are_refused_with_their_exit_code() {
    let large = "x".repeat(100_000);
    let cases: &[(&[&str], i32, &str)] = &[
        (&["table", "put", "vists", "ada", "1"], 4, "did you mean visits?"),
        (&["table", "get", "vists"], 4, "did you mean visits?"),
        (&["table", "get", "visits", "bob"], 4, "has nothing under bob"),
        (&["table", "remove", "visits", "bob"], 4, "has nothing under bob"),
        (&["table", "put", "", "a", "1", "--create"], 6, "table: is empty"),
        (&["table", "put", "a/b", "a", "1", "--create"], 6, "has the character '/'"),
        (&["table", "put", "visits", &large, "1"], 6, "the key has 100002 bytes as JSON"),
        (&["table", "put", "visits", "{\"a\":1,\"a\":2}", "1"], 6, "error[malformed]"),
        (&["table", "put", "visits", "a", "--creat"], 2, "is no flag"),
        (&["events", "append", "--type", "a", "--stream", "table/visits"], 6, "error[invalid]"),
    ];
    both(|store| {
        store.ok(&["table", "put", "visits", "ada", "1", "--create"]);
        for (words, code, says) in cases {
            let ran = store.run(words);
            assert_eq!(ran.code, Some(*code), "{ran:?}");
            assert!(ran.talk.contains(says), "{says}: {ran:?}");
        }
        let ran = store.feed(&["table", "put", "visits", "a", "-"], "x".repeat(600_000));
        assert_eq!(ran.code, Some(6), "{ran:?}");
        assert_eq!(objects(&store.ok(&["table", "get", "visits"])).len(), 1);
    });
}

#[test]
fn a_running_owner_takes_what_fits_its_types() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("starts").block_on(async {
        let store = Store::new();
        let owner = Foundation::builder(store.directory())
            .table::<String, u64>("visits", Keep::Log)
            .table::<String, u64>("fleeting", Keep::Nothing)
            .control_socket()
            .start()
            .await
            .expect("starts");
        let store = tokio::task::spawn_blocking(move || {
            store.ok(&["table", "put", "visits", "ada", "1"]);
            store.ok(&["table", "put", "fleeting", "ada", "1"]);
            for words in [["visits", "ada", "many"], ["visits", "7", "1"]] {
                let ran = store.run(&[&["table", "put"], &words[..]].concat());
                assert_eq!(ran.code, Some(6), "{ran:?}");
                assert!(ran.talk.contains("does not fit") && ran.talk.contains("nothing was"));
            }
            store
        });
        let store = store.await.expect("no panic");
        let visits = owner.table::<String, u64>("visits").expect("is known");
        assert_eq!(visits.get("ada").as_deref(), Some(&1));
        let ended = owner.shutdown(std::time::Duration::from_secs(5)).await;
        ended.into_result().expect("is clean");
        let listed = store.ok(&["table", "list"]);
        assert_eq!(
            listed,
            "visits  1 entry  after 1 change  in the log, its types are not known here\n"
        );
        // What the program put without knowing the types is told at the next start.
        store.ok(&["table", "put", "visits", "bob", "many"]);
        let start = || {
            let builder = Foundation::builder(store.directory());
            builder.table::<String, u64>("visits", Keep::Log).start()
        };
        let error = start().await.expect_err("does not fit");
        assert!(error.to_string().contains("table visits"), "{error}");
        assert!(error.to_string().contains("key \"bob\""), "{error}");
        store.ok(&["table", "remove", "visits", "bob"]);
        start().await.expect("fits again");
    });
}
