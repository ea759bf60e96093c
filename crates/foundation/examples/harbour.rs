//! A node whose configuration is changed in every way at once until it is killed; each line says what
//! was begun, acked or refused. Or it opens the store again and prints all that is known of the document.
//! `cargo xtask kill` is between the two.
//!
//! Every change is named by a number that counts up, which is in its reason and in what it puts, so
//! that whoever reads the lines knows which change of the history is which.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its lines are what it is for")]

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foundation::config::{ConfigServer, HistoryQuery, OnConflict, Resolution, Update, Updated};
use foundation::seams::{Clock, SystemClock};
use foundation::{
    Document, Error, ErrorKind, Foundation, Result, SealingKey, Secret, Shaped, Sources, Timestamp,
    Value, Version,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const USAGE: &str = "usage: harbour COMMAND

  run STORE FILE FIRST    changes the document until it is killed; its changes count from FIRST
  show STORE FILE         prints the document, its history and what waits, as JSON";

/// How often the file is looked at, and what had its time is taken back.
const OFTEN: Duration = Duration::from_millis(5);
/// Times for which a fee may be set: some are over before the kill, some only in the next life.
const TIMES_MS: [u64; 4] = [1, 20, 60, 400];
/// What is asked of who explains.
const PLACES: [&str; 8] =
    ["quay.left", "quay.right", "quay.tide", "quay.berths", "fee", "pilot", "tally", "token"];

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Harbour {
    #[validate(nested)]
    quay: Quay,
    /// Set for a time only.
    fee: u64,
    /// What two writers want differently.
    pilot: String,
    /// What each change makes one more of, seen from the version that it was read at.
    tally: u64,
    token: Secret<String>,
}

/// What the file says as well; one number in all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[serde(default, deny_unknown_fields)]
struct Quay {
    left: u64,
    right: u64,
    /// In the file only.
    tide: u64,
    berths: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["run", store, file, first] => match first.parse() {
            Ok(first) => run(Path::new(store), file, first).await,
            Err(_) => Err(Error::new(ErrorKind::InvalidArgument, USAGE)),
        },
        ["show", store, file] => show(Path::new(store), file).await,
        _ => Err(Error::new(ErrorKind::InvalidArgument, USAGE)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn open(store: &Path, file: &str) -> Result<Foundation> {
    let sources = Sources::defaults().file(file).look_every(OFTEN);
    let builder = Foundation::builder(store).document::<Harbour>(sources);
    builder.sealing_key(SealingKey::new(&[7; 32])).start().await
}

async fn run(store: &Path, file: &str, first: u64) -> Result<()> {
    let foundation = open(store, file).await?;
    let harbour = foundation.config::<Harbour>()?;
    let clerk = Clerk { harbour, numbers: Arc::new(AtomicU64::new(first)) };
    println!("serving");
    tokio::try_join!(
        clerk.keep_quay(),
        clerk.set_fees(),
        clerk.count(),
        clerk.disagree(),
        clerk.change_token(),
        clerk.end_passing(),
    )?;
    Ok(())
}

/// Who changes the document in all ways.
#[derive(Clone)]
struct Clerk {
    harbour: ConfigServer<Harbour>,
    numbers: Arc<AtomicU64>,
}

impl Clerk {
    fn next(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Two places at once, and one that is set and taken away over what the file says of it.
    async fn keep_quay(&self) -> Result<()> {
        loop {
            let number = self.next();
            let pair =
                self.harbour.transaction().set("quay.left", number).set("quay.right", number);
            self.make(number, "both", pair).await?;
            let number = self.next();
            self.make(number, "berths", self.harbour.set("quay.berths", number)).await?;
            let number = self.next();
            let pair = self.harbour.transaction().unset("quay.left").unset("quay.right");
            self.make(number, "free both", pair).await?;
            let number = self.next();
            self.make(number, "free berths", self.harbour.unset("quay.berths")).await?;
        }
    }

    /// A value for a time, now and then one for good in between.
    async fn set_fees(&self) -> Result<()> {
        for turn in 0_u64.. {
            let number = self.next();
            let fee = self.harbour.set("fee", number);
            if turn % 5 == 4 {
                self.make(number, "fee", fee).await?;
            } else {
                let time = TIMES_MS[turn as usize % TIMES_MS.len()];
                self.make(number, "passing fee", fee.lasting(Duration::from_millis(time))).await?;
            }
            tokio::time::sleep(Duration::from_millis(turn % 40)).await;
        }
        Ok(())
    }

    /// One more than what was seen, if nobody changed anything since.
    async fn count(&self) -> Result<()> {
        loop {
            let number = self.next();
            let (seen, tally) = {
                let current = self.harbour.get();
                (current.version(), current.tally)
            };
            let update = self.harbour.set("tally", tally + 1).expect_version(seen);
            self.make(number, format_args!("tally {} {seen}", tally + 1), update).await?;
        }
    }

    /// Two want different things of what both saw: the second waits until it is decided about.
    async fn disagree(&self) -> Result<()> {
        // What an earlier life left is decided about first.
        let left = self.harbour.conflicts();
        let mut waiting: Vec<_> =
            left.iter().map(|one| (number_in(one.reason.as_deref()), one.id.to_string())).collect();
        for turn in 0_usize.. {
            let seen = self.harbour.version();
            let number = self.next();
            self.make(number, "pilot", self.harbour.set("pilot", pilot(number))).await?;
            let number = self.next();
            let late = self.harbour.set("pilot", pilot(number)).expect_version(seen);
            let late = late.on_conflict(OnConflict::Park);
            if let Some(id) = self.make(number, format_args!("late pilot {seen}"), late).await? {
                waiting.push((number, id));
            }
            // Some wait longer, and a few until a later life.
            if turn % 3 == 0 || waiting.len() < 2 {
                continue;
            }
            let (late, id) = waiting.remove(0);
            self.decide(turn, late, id).await?;
        }
        Ok(())
    }

    async fn decide(&self, turn: usize, late: u64, id: String) -> Result<()> {
        let number = self.next();
        let (how, resolution) = match turn % 4 {
            0 | 1 => ("ours", Resolution::Ours),
            2 => ("theirs", Resolution::Theirs),
            _ => {
                let edits = vec![("pilot".parse()?, Some(Value::from(pilot(number))))];
                ("edited", Resolution::Edited(edits))
            }
        };
        println!("begun {number} decide {late} {how}");
        let decided = self.harbour.resolve(id, resolution).reason(format!("op {number}")).await;
        told(number, decided).map(drop)
    }

    async fn change_token(&self) -> Result<()> {
        loop {
            let number = self.next();
            let token = Secret::new(token(number));
            self.make(number, "token", self.harbour.set("token", token)).await?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// As the node does each second.
    async fn end_passing(&self) -> Result<()> {
        loop {
            self.harbour.end_passing().await?;
            tokio::time::sleep(OFTEN).await;
        }
    }

    /// Makes a change and tells of it before and after; gives what it waits as, if it does.
    async fn make(
        &self,
        number: u64,
        what: impl fmt::Display,
        update: Update<Harbour>,
    ) -> Result<Option<String>> {
        println!("begun {number} {what}");
        told(number, update.reason(format!("op {number}")).await)
    }
}

/// Tells how a change ended. Only what may happen under this load does not end the program.
fn told(number: u64, outcome: Result<Updated>) -> Result<Option<String>> {
    match outcome {
        Ok(Updated { version, position: Some(_), .. }) => println!("acked {number} {version}"),
        // Nothing had to change, or it was given up.
        Ok(Updated { position: None, .. }) => println!("settled {number}"),
        Err(error) if error.kind() == ErrorKind::Parked => {
            let id = error.context().iter().find(|(name, _)| *name == "parked");
            let id = id.map(|(_, id)| id.to_string()).unwrap_or_default();
            println!("parked {number} {id}");
            return Ok(Some(id));
        }
        Err(error) if error.kind() == ErrorKind::VersionConflict => println!("refused {number}"),
        Err(error) => return Err(error),
    }
    Ok(None)
}

/// The number of the change that has this reason.
fn number_in(reason: Option<&str>) -> u64 {
    let number = reason.and_then(|reason| reason.strip_prefix("op "));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn pilot(number: u64) -> String {
    format!("pilot {number}")
}

fn token(number: u64) -> String {
    format!("harbour-token-{number}")
}

/// All that is known of the document at one version.
async fn show(store: &Path, file: &str) -> Result<()> {
    let foundation = open(store, file).await?;
    let harbour = foundation.config::<Harbour>()?;
    let looked_us = SystemClock::default().wall().as_unix_micros();
    harbour.end_passing().await?;
    loop {
        let before = harbour.version();
        let mut shown = all_of(&harbour, before).await?;
        shown["looked_us"] = looked_us.into();
        // The node takes back what had its time meanwhile.
        if harbour.version() == before {
            println!("{shown}");
            break;
        }
    }
    foundation.shutdown(Duration::from_secs(10)).await.into_result()
}

async fn all_of(harbour: &ConfigServer<Harbour>, version: Version) -> Result<serde_json::Value> {
    let mut history = Vec::new();
    let mut after = Version::NONE;
    loop {
        let page = harbour.history(HistoryQuery::after(after)).await?;
        let Some(last) = page.last() else { break };
        after = last.version;
        history.extend(page.iter().map(|change| {
            json!({
                "change": change,
                "time_us": change.time.as_unix_micros(),
                "until_us": change.until.map(Timestamp::as_unix_micros),
            })
        }));
    }
    let mut explained = BTreeMap::new();
    for place in PLACES {
        explained.insert(place, harbour.explain(place).await?);
    }
    let conflicts: Vec<_> = harbour.conflicts().iter().map(|one| (**one).clone()).collect();
    let current = harbour.get();
    Ok(json!({
        "version": version,
        "document": &*current,
        "token": current.token.expose(),
        "history": history,
        "waiting": conflicts,
        "explained": explained,
    }))
}
