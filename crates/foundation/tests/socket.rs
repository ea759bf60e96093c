//! The control socket: who may come in, and what bad input gets.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use foundation::config::HistoryQuery;
use foundation::node::{
    Append, AppendEach, Client, ConfigGet, ConfigHistory, ConfigUpdate, EventsQuery, GetStatus, Put,
};
use foundation::{ErrorKind, Event, EventQuery, ExpectedVersion, Foundation, Value};

use super::{Shop, directory, open};

async fn client(path: &Path) -> Client {
    Client::connect(path).await.expect("may come in").expect("a node is there")
}

fn set(path: &str, value: impl Into<Value>) -> ConfigUpdate {
    ConfigUpdate {
        patches: Vec::new(),
        on_conflict: None,
        lasts_ms: None,
        unchanged: Vec::new(),
        document: "shop".to_owned(),
        edits: vec![(path.parse().expect("a path"), Put::Value(value.into()))],
        expected: ExpectedVersion::Any,
        actor: Some("ops".to_owned()),
        reason: None,
        defaults: false,
        dry_run: false,
    }
}

#[tokio::test]
async fn a_tool_reads_and_writes_what_the_application_has() {
    let directory = directory();
    let path = directory.path().join("store");
    assert!(Client::connect(&path).await.expect("looks").is_none(), "nobody is there");
    let foundation = open(&directory).await;
    let mut tool = client(&path).await;
    let updated = tool.call(set("rate_limit", 250)).await.expect("may enter");
    assert_eq!(foundation.config::<Shop>().expect("known").get().rate_limit, 250);
    let get = ConfigGet {
        document: "shop".to_owned(),
        path: "rate_limit".parse().expect("a path"),
        at: Some(updated.version.previous()),
    };
    assert_eq!(tool.call(get).await.expect("is kept"), Value::from(0));
    let error = tool.call(set("rate_limti", 1)).await.expect_err("no such key");
    assert_eq!(error.kind(), ErrorKind::UnknownKey);
    assert_eq!(error.problems()[0].hint.as_deref(), Some("rate_limit"));

    let event = Event::new("order.placed").data(&[1, 2]).expect("plain");
    let append = Append { event, stream: None, expected: ExpectedVersion::Any };
    let receipt = tool.call(append).await.expect("may enter");
    let query = EventsQuery { query: EventQuery::all().kind("order.placed") };
    let page = tool.call(query).await.expect("is answered");
    assert_eq!(page.events[0].position, receipt.position);
    let mixed = vec![Event::new("a").id("1"), Event::new(""), Event::new("b").id("1")];
    let outcomes = tool.call(AppendEach { events: mixed }).await.expect("is answered");
    let codes: Vec<_> = outcomes.iter().map(|one| one.as_ref().err().map(|e| e.code)).collect();
    assert_eq!(codes, [None, Some(ErrorKind::Invalid), Some(ErrorKind::IdReused)]);
    assert!(tool.call(GetStatus {}).await.expect("is answered").serving);
}

#[tokio::test]
async fn only_its_user_may_reach_it_and_it_goes_with_its_node() {
    let directory = directory();
    let path = directory.path().join("store");
    let foundation = open(&directory).await;
    let socket = std::fs::metadata(path.join("control.sock")).expect("is there");
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    assert_eq!(socket.uid(), std::fs::metadata(&path).expect("is there").uid());
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    assert!(!path.join("control.sock").exists());
    // What a killed node leaves behind is taken for nobody, and is replaced.
    drop(std::os::unix::net::UnixListener::bind(path.join("control.sock")).expect("binds"));
    assert!(Client::connect(&path).await.expect("looks").is_none());
    let again = open(&directory).await;
    client(&path).await.call(GetStatus {}).await.expect("is answered");
    drop(again);
}

#[tokio::test]
async fn a_path_of_any_length_has_its_socket() {
    let directory = directory();
    let path = directory.path().join("d".repeat(200)).join("e".repeat(200));
    let foundation = Foundation::builder(&path).control_socket().start().await.expect("starts");
    client(&path).await.call(GetStatus {}).await.expect("is answered");
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_frames_are_answered_and_harm_nobody_else() {
    let directory = directory();
    let foundation = open(&directory).await;
    let path = directory.path().join("store");
    let deep = "[".repeat(100_000);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("not JSON", frame(b"hello"), "malformed"),
        ("not UTF-8", frame(&[0xff, 0xfe]), "malformed"),
        ("no such call", frame(br#"{"drop_all":{}}"#), "malformed"),
        ("an unknown field", frame(br#"{"get_status":{"x":1}}"#), "malformed"),
        ("nested deeply", frame(deep.as_bytes()), "malformed"),
        ("too large", u32::MAX.to_le_bytes().to_vec(), "too_large"),
    ];
    for (what, bytes, code) in cases {
        let path = path.clone();
        let answer = tokio::task::spawn_blocking(move || ask(&path, &bytes));
        let answer = answer.await.expect("no panic");
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{what}: {answer}");
    }
    // One that says nothing and one that goes away in the middle of a frame.
    let silent = UnixStream::connect(path.join("control.sock")).expect("connects");
    let mut rude = UnixStream::connect(path.join("control.sock")).expect("connects");
    rude.write_all(&[100, 0, 0, 0, b'{']).expect("writes");
    drop(rude);
    client(&path).await.call(GetStatus {}).await.expect("is answered");
    let report = foundation.shutdown(Duration::from_secs(5)).await;
    assert!(report.is_clean(), "{report:?}");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_any_size_comes_in_pieces() {
    let directory = directory();
    let foundation = open(&directory).await;
    let mut tool = client(&directory.path().join("store")).await;
    let large = "x".repeat(900_000);
    for _ in 0..40 {
        let event = Event::new("large").data(&large).expect("fits");
        foundation.events().append(event).await.expect("may enter");
    }
    let (mut next, mut count) = (Some(EventQuery::all().kind("large").limit(39)), 0);
    while let Some(query) = next {
        let page = tool.call(EventsQuery { query }).await.expect("is answered");
        assert!(page.events.len() < 25, "a page is bounded in bytes");
        count += page.events.len();
        next = page.next;
    }
    assert_eq!(count, 39, "the limit is exact over all pages");

    let shop = foundation.config::<Shop>().expect("is known");
    for number in 0..45 {
        let name = format!("{number}{}", &large[..500_000]);
        shop.set("name", name).await.expect("may enter");
    }
    let mut query = HistoryQuery::default();
    let mut versions = Vec::new();
    loop {
        let call = ConfigHistory { document: "shop".to_owned(), query: query.clone() };
        let changes = tool.call(call).await.expect("is answered");
        let Some(last) = changes.last() else { break };
        assert!(changes.len() < 45, "a piece of the history is bounded in bytes");
        query.from = Some(last.version.next());
        versions.extend(changes.iter().map(|change| change.version.number()));
    }
    assert_eq!(versions, (1..=45).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_call_that_was_not_waited_for_does_not_answer_the_next_one() {
    let directory = directory();
    let foundation = open(&directory).await;
    let mut tool = client(&directory.path().join("store")).await;
    let mut given_up = Box::pin(tool.call(set("rate_limit", 1)));
    std::future::poll_fn(|context| {
        assert!(given_up.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(given_up);
    let error = tool.call(set("rate_limit", 2)).await.expect_err("is left in the middle");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(foundation.config::<Shop>().expect("known").get().rate_limit < 2);
}

#[tokio::test]
async fn a_call_that_is_too_large_is_told_so_and_the_connection_goes_on() {
    let directory = directory();
    let _foundation = open(&directory).await;
    let mut tool = client(&directory.path().join("store")).await;
    let event = Event::new("large").data(&"x".repeat(900_000)).expect("fits");
    let error = tool.call(AppendEach { events: vec![event; 80] }).await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(tool.call(GetStatus {}).await.expect("is answered").journal.records, 0);
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("short");
    [&length.to_le_bytes()[..], bytes].concat()
}

/// Sends bytes as they are and gives what comes back.
fn ask(path: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path.join("control.sock")).expect("connects");
    stream.write_all(bytes).expect("writes");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("is answered");
    let mut answer = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut answer).expect("is answered");
    String::from_utf8(answer).expect("is text")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_silent_makes_room_for_who_has_something_to_say() {
    let directory = directory();
    let foundation = open(&directory).await;
    let path = directory.path().join("store");
    let silent: Vec<UnixStream> = (0..100)
        .map(|_| UnixStream::connect(path.join("control.sock")).expect("is accepted some time"))
        .collect();
    client(&path).await.call(GetStatus {}).await.expect("is answered");
    drop(silent);
    drop(foundation);
}
