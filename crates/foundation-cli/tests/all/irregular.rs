//! What has the name of a file of the store and is none: a directory, a link.

use super::running::Store;

#[test]
fn what_is_no_file_is_told_and_left_and_the_rest_is_mended() {
    let store = Store::new();
    store.ok(&["config", "set", "interface.max_results", "250"]);
    store.ok(&["events", "append", "--type", "order.placed", "--id", "a"]);
    let index = store.directory().join("00000000000000000001.idx");
    let elsewhere = store.directory().with_file_name("elsewhere");
    std::fs::rename(&index, &elsewhere).expect("is moved");
    std::os::unix::fs::symlink(&elsewhere, &index).expect("is linked");
    let snapshot = store.directory().join("00000000000000000001.snap");
    let _ = std::fs::remove_file(&snapshot);
    std::fs::create_dir(&snapshot).expect("is made");
    std::fs::create_dir(store.directory().join("INDEX.new")).expect("is made");
    std::fs::write(store.directory().join("SNAPSHOT.new"), "half").expect("is written");

    let found = store.run(&["verify"]);
    assert_eq!(found.code, Some(5), "{found:?}");
    for name in ["00000000000000000001.idx", "00000000000000000001.snap"] {
        let line = found.out.lines().find(|line| line.contains(name)).expect("is told");
        assert!(line.starts_with("damage  ") && line.contains("not a regular file"), "{line}");
    }
    let plan = store.run(&["repair", "--dry-run"]);
    let done = store.run(&["repair"]);
    assert_eq!((plan.code, done.code), (Some(5), Some(5)), "{plan:?} {done:?}");
    for told in [&plan.out, &done.out] {
        assert!(told.contains("left  00000000000000000001.idx"), "{told}");
        assert!(told.contains("left  00000000000000000001.snap"), "{told}");
        assert!(told.contains("removed  SNAPSHOT.new"), "{told}");
    }
    assert!(std::fs::symlink_metadata(&index).expect("is there").is_symlink());
    assert!(elsewhere.exists() && snapshot.is_dir());
    assert!(!store.directory().join("SNAPSHOT.new").exists());
}
