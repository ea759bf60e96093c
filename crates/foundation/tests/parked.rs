//! What waits for somebody to decide, and what was refused, after a restart.

use std::time::Duration;

use foundation::config::{OnConflict, RefusedChange, Resolution, VetoTerms};
use foundation::{ErrorKind, EventQuery, Version, lens};

use super::{Shop, directory, open};

#[tokio::test]
async fn what_waits_is_decided_after_a_restart_with_and_without_a_snapshot() {
    let directory = directory();
    let mut ids = Vec::new();
    for checkpoint in [false, true] {
        let foundation = open(&directory).await;
        let shop = foundation.config::<Shop>().expect("is known");
        let seen = shop.version();
        shop.set("rate_limit", 10 + seen.number()).await.expect("may enter");
        let late = shop.set("rate_limit", 5_000).expect_version(seen);
        let error = late.on_conflict(OnConflict::Park).await.expect_err("waits");
        ids.push(error.conflict().and_then(|one| one.parked.clone()).expect("an id"));
        if checkpoint {
            foundation.checkpoint().await.expect("is kept");
        }
        foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    }
    let foundation = open(&directory).await;
    let shop = foundation.config::<Shop>().expect("is known");
    let listed: Vec<_> = shop.conflicts().iter().map(|one| one.id.clone()).collect();
    assert_eq!(listed, ids);
    let updated = shop.resolve(ids[0].clone(), Resolution::Ours).await.expect("waits");
    assert_eq!((updated.version, shop.get().rate_limit), (Version::new(3), 5_000));
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");

    let foundation = open(&directory).await;
    let shop = foundation.config::<Shop>().expect("is known");
    assert_eq!(shop.conflicts().len(), 1);
    let error = shop.resolve(ids[0].clone(), Resolution::Ours).await.expect_err("is decided");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    shop.resolve(ids[1].clone(), Resolution::Theirs).await.expect("waits");
    assert_eq!((shop.version(), shop.get().rate_limit), (Version::new(3), 5_000));
}

#[tokio::test]
async fn a_vetoed_change_is_found_among_the_events() {
    let directory = directory();
    let foundation = open(&directory).await;
    let shop = foundation.config::<Shop>().expect("is known");
    let terms = VetoTerms { deadline: Duration::from_secs(10), ..VetoTerms::default() };
    let _veto = shop
        .veto(lens!(Shop, rate_limit), terms, |_| Err("the sale is on".to_owned()))
        .expect("is added");
    shop.set("rate_limit", 5).actor("ops").await.expect_err("is vetoed");
    shop.set("name", "open").await.expect("is elsewhere");
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    let foundation = open(&directory).await;
    let query = EventQuery::all().kind("foundation.config.refused");
    let page = foundation.events().query(query).await.expect("reads");
    let refused: RefusedChange = page.events[0].event.data.to().expect("reads");
    assert_eq!((refused.document.as_str(), refused.actor.as_deref()), ("shop", Some("ops")));
    assert_eq!(refused.refused[0].message, "the sale is on");
    assert_eq!(foundation.verify().await.expect("reads").findings, []);
}
