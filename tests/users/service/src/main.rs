//! A user of the facade: a shop that keeps its configuration, events and metrics in one directory,
//! stops, starts again and finds everything as it was.

#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use foundation::{
    Document, ErrorKind, Event, EventQuery, ExpectedVersion, Foundation, Result, Shaped,
    Sources, lens,
};
use serde::{Deserialize, Serialize};
use validator::Validate;

#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Shop {
    /// Requests that one client may send each second.
    #[validate(range(max = 10_000))]
    rate_limit: u32,
    /// How customers pay.
    #[validate(nested)]
    payment: Payment,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Shaped)]
#[serde(default, deny_unknown_fields)]
struct Payment {
    /// Who is paid through.
    provider: String,
    /// Milliseconds before a payment is given up.
    #[validate(range(max = 60_000))]
    timeout_ms: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("foundation-shop-{}", std::process::id()));
    let outcome = open_twice(&directory).await;
    // A directory that stays behind in the system's place for temporary files harms nobody.
    let _ = std::fs::remove_dir_all(&directory);
    outcome
}

async fn open_twice(directory: &Path) -> Result<()> {
    let first = Foundation::builder(directory).document::<Shop>(Sources::defaults()).start().await?;
    change(&first).await?;
    sell(&first).await?;
    first.shutdown(Duration::from_secs(5)).await.into_result()?;

    let second = Foundation::builder(directory).document::<Shop>(Sources::defaults()).start().await?;
    let shop = second.config::<Shop>()?;
    assert_eq!((shop.get().rate_limit, shop.get().payment.timeout_ms), (250, 1_500));
    assert_eq!(second.events().trace("req-7").await?.spans.len(), 2);
    println!(
        "service: configuration and events are as they were, health {}",
        second.health().state
    );
    second.shutdown(Duration::from_secs(5)).await.into_result()
}

async fn change(foundation: &Foundation) -> Result<()> {
    let shop = foundation.config::<Shop>()?;
    let (rate_limit, provider) = (lens!(Shop, rate_limit), lens!(Shop, payment.provider));
    let mut changes = shop.subscribe(lens!(Shop, payment))?;
    let updated = shop.set(&rate_limit, 250).reason("launch day").await?;
    // A lens and the text of its path are the same place.
    let both = shop.transaction().set(&provider, "acme").set("payment.timeout_ms", 1_500);
    both.expect_version(updated.version).await?;
    assert_eq!((*rate_limit.get(&shop.get()), shop.value(provider)?), (250, "acme".into()));

    let refused = shop.set(rate_limit, 99_999).await.expect_err("is out of range");
    assert_eq!(refused.kind(), ErrorKind::OutOfRange);
    assert_eq!(refused.problems()[0].expected.as_deref(), Some("integer, 0 to 10000"));
    let stale = shop.set("rate_limit", 1).expect_version(updated.version).await;
    assert_eq!(stale.expect_err("is stale").kind(), ErrorKind::VersionConflict);

    assert!(changes.next().await?.is_some(), "the change of payment is told");
    assert_eq!(shop.at(updated.version).await?.document.payment.timeout_ms, 0);
    Ok(())
}

async fn sell(foundation: &Foundation) -> Result<()> {
    let events = foundation.events();
    let placed =
        Event::new("order.placed").id("order-1").correlation("req-7").data(&("book", 3))?;
    let receipt = events.append(placed.clone()).await?;
    assert!(events.append(placed).await?.repeated, "the id is the idempotency key");
    let paid = Event::new("order.paid").correlation("req-7").parent(&receipt.id);
    events.append(paid).stream("order-1").expecting(ExpectedVersion::Absent).await?;
    assert_eq!(events.query(EventQuery::all().correlation("req-7")).await?.events.len(), 2);
    foundation.telemetry().histogram("shop.checkout.latency_seconds").record(0.042);
    Ok(())
}
