//! Dumps that a person asks for.

use super::running::both;

#[test]
fn a_dump_is_a_file_of_json_named_by_its_position() {
    both(|store| {
        store.ok(&["config", "set", "interface.max_results", "250"]);
        store.ok(&["table", "put", "visits", "ada", "1", "--create"]);
        let folder = store.file("beside", "").with_file_name("dumps");
        let folder = folder.to_str().expect("is text");
        let report = store.json(&["dump", folder]);
        let position = report["position"].as_u64().expect("a number");
        let path = report["path"].as_str().expect("a path");
        assert!(path.ends_with(&format!("dumps/dump-{position:020}.json")), "{path}");
        let text = std::fs::read_to_string(path).expect("is there");
        assert_eq!(report["bytes"], text.len());
        let dump: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        assert_eq!(dump["documents"][0]["tree"]["interface"]["max_results"], 250);
        assert_eq!(dump["tables"][0]["entries"][0][1], 1);
        let told = store.ok(&["dump", folder]);
        assert!(told.starts_with(path), "{told}");
        let ran = store.run(&["dump", "/proc/nowhere"]);
        assert_ne!(ran.code, Some(0));
        assert!(ran.talk.contains("for dumps"), "{ran:?}");
    });
}
