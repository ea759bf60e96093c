//! The sink against a receiver over 127.0.0.1 that fails, hangs, acks twice and loses acks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation::exports::ExportRules;
use foundation::{Event, EventQuery, Foundation, Secret, parse};
use foundation_export_http::{HttpRules, HttpSink, Mode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const EVENTS: u64 = 300;

/// What a receiver does with a message.
#[derive(Clone, Copy, Debug)]
enum Does {
    Takes,
    Fails,
    IsBusy,
    Hangs,
    AcksTwice,
    LosesAck,
    ClosesBefore,
}

/// What is done with one message after the other, over and over.
const MOODS: [Does; 12] = [
    Does::Takes,
    Does::Fails,
    Does::AcksTwice,
    Does::Takes,
    Does::LosesAck,
    Does::Takes,
    Does::Hangs,
    Does::IsBusy,
    Does::Takes,
    Does::ClosesBefore,
    Does::AcksTwice,
    Does::Takes,
];

#[derive(Clone, Default)]
struct Receiver {
    came: Arc<Mutex<Vec<Value>>>,
    heads: Arc<Mutex<Vec<String>>>,
    messages: Arc<Mutex<usize>>,
}

impl Receiver {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("has one");
        let receiver = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(receiver.clone().serve(stream));
            }
        });
        address
    }

    async fn serve(self, mut stream: TcpStream) {
        while let Some((head, body)) = message(&mut stream).await {
            let does = {
                let mut messages = self.messages.lock().expect("is whole");
                *messages += 1;
                MOODS[*messages % MOODS.len()]
            };
            self.heads.lock().expect("is whole").push(head);
            let ok = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
            let answer = match does {
                Does::Takes => ok.to_owned(),
                Does::AcksTwice => ok.repeat(2),
                Does::Fails => "HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\nno".to_owned(),
                Does::IsBusy => {
                    "HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n".to_owned()
                }
                Does::Hangs => std::future::pending().await,
                Does::LosesAck | Does::ClosesBefore => String::new(),
            };
            if matches!(does, Does::Takes | Does::AcksTwice | Does::LosesAck) {
                self.take(&body);
            }
            if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn take(&self, body: &[u8]) {
        assert!(!parse::cloud_events(body).expect("are CloudEvents").is_empty());
        let value: Value = serde_json::from_slice(body).expect("is JSON");
        let mut came = self.came.lock().expect("is whole");
        match value {
            Value::Array(all) => came.extend(all),
            one => came.push(one),
        }
    }
}

/// Head and body of the next message; nothing at the end.
async fn message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("is text").to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().expect("is a number")];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

/// Gives how many events came more than once.
async fn passes_on(mode: Mode) -> usize {
    let receiver = Receiver::default();
    let address = receiver.start().await;
    let token = Secret::new("Bearer hunter2".to_owned());
    let rules = HttpRules { mode, headers: vec![("authorization".to_owned(), token)] };
    let sink = HttpSink::new(&format!("http://{address}/in?from=us"), rules).expect("is right");
    let rules = ExportRules {
        filter: EventQuery::all().kind("tick"),
        batch_events: 7,
        in_flight_max: 21,
        deadline: Duration::from_millis(150),
        backoff: Duration::from_millis(1),
        backoff_max: Duration::from_millis(4),
        ..ExportRules::default()
    };
    let foundation =
        Foundation::in_memory().export("partner", sink, rules).start().await.expect("starts");
    let mut last = None;
    for number in 0..EVENTS {
        let event = Event::new("tick").data(&number).expect("is JSON");
        let stream = format!("s{}", number % 3);
        last =
            Some(foundation.events().append(event).stream(stream.as_str()).await.expect("is in"));
    }
    let last = last.expect("there is one").position;
    let all_taken = async {
        while foundation.exports().list()[0].position < last {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_taken).await.expect("comes to its end");
    let status = foundation.exports().list().remove(0);
    assert_eq!((status.delivered, status.parked), (EVENTS, 0));

    let came = receiver.came.lock().expect("is whole").clone();
    let mut seen = BTreeSet::new();
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    for one in &came {
        let text = |name: &str| one[name].as_str().expect("is text").to_owned();
        if seen.insert(text("dedupid")) {
            let version = text("streamversion").parse().expect("is a number");
            let before = versions.insert(text("stream"), version);
            assert_eq!(before.unwrap_or(0) + 1, version, "in the order of the stream");
        }
    }
    assert_eq!(seen.len() as u64, EVENTS, "nothing is missing");
    assert!(came.len() > seen.len(), "no ack was lost");
    let heads = receiver.heads.lock().expect("is whole");
    let kind = match mode {
        Mode::Batched => "content-type: application/cloudevents-batch+json",
        Mode::Structured => "content-type: application/cloudevents+json",
    };
    assert!(heads[0].starts_with("post /in?from=us http/1.1\r\n"), "{}", heads[0]);
    assert!(heads[0].contains(kind) && heads[0].contains("authorization: bearer hunter2"));
    assert!(heads[0].contains(&format!("host: {address}")));
    came.len() - seen.len()
}

#[tokio::test]
async fn batches_come_whole_and_in_order_through_a_receiver_that_does_anything() {
    let again = passes_on(Mode::Batched).await;
    println!("batched: {again} of {EVENTS} events came again");
}

#[tokio::test]
async fn single_events_come_whole_and_in_order_through_a_receiver_that_does_anything() {
    let again = passes_on(Mode::Structured).await;
    println!("structured: {again} of {EVENTS} events came again");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("has one");
    drop(listener);
    let sink = HttpSink::new(&format!("http://{address}"), HttpRules::default()).expect("is right");
    let rules = ExportRules { stalled_after: Duration::ZERO, ..ExportRules::default() };
    let foundation =
        Foundation::in_memory().export("partner", sink, rules).start().await.expect("starts");
    foundation.events().append(Event::new("tick")).await.expect("is in");
    let failed = async {
        while foundation.exports().list()[0].last_error.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), failed).await.expect("is told");
    let status = foundation.exports().list().remove(0);
    assert!(status.last_error.expect("is there").contains("is not reached"), "says where");
    assert_eq!((status.delivered, status.parked), (0, 0));
    let health = foundation.health();
    let told = health.checks.iter().find(|one| one.name == "exports").expect("is there");
    assert!(told.message.contains("export partner has passed nothing on"), "{}", told.message);
    let report = foundation.shutdown(Duration::from_secs(5)).await;
    assert_eq!(report.exports_left[0].export, "partner");
    assert!(report.is_clean());
}
