//! Who is asked before a change: whether, of what, by when, and what silence and panics mean.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use foundation_types::{ErrorKind, Result, Settings, lens};
use proptest::prelude::*;
use tokio::sync::Notify;

use super::sample::node;
use crate::config::{ConfigServer, OnSilence, Proposed, VetoGuard, VetoTerms};

const RESULTS: &str = "interface.max_results";

fn terms(on_silence: OnSilence) -> VetoTerms {
    VetoTerms { on_silence, ..patient() }
}

/// Terms that no slow machine breaks.
fn patient() -> VetoTerms {
    VetoTerms { deadline: Duration::from_secs(10), on_silence: OnSilence::Refuse }
}

/// A veto over the page size that refuses more than this.
fn at_most(settings: &ConfigServer<Settings>, most: u64) -> VetoGuard {
    let veto = move |proposed: &Proposed<Settings>| {
        let wanted = proposed.after.document.interface.max_results;
        if wanted > most { Err(format!("more than {most} do not fit")) } else { Ok(()) }
    };
    let place = lens!(Settings, interface.max_results);
    settings.veto(place, patient(), veto).expect("is added")
}

#[tokio::test]
async fn a_refused_change_changes_nothing_and_is_recorded() {
    let node = node();
    let _veto = at_most(&node.settings, 100);
    node.settings.set(RESULTS, 100).await.expect("fits");
    let change = node.settings.set(RESULTS, 101).set("log.level", "warn");
    let error = change.actor("ops").reason("more rows").await.expect_err("does not fit");
    insta::assert_snapshot!(format!("{}: {error}", error.code()), @"config.vetoed: interface.max_results: more than 100 do not fit");
    assert_eq!(node.settings.version().number(), 1);
    assert_eq!(node.settings.get().interface.max_results, 100);
    assert_eq!(node.changes().await.len(), 1);
    let refused = node.refused().await;
    insta::assert_snapshot!(serde_json::to_string(&refused[0]).expect("is JSON"), @r#"{"document":"foundation","actor":"ops","reason":"more rows","refused":[{"path":"interface.max_results","code":"config.vetoed","message":"more than 100 do not fit"}]}"#);
}

#[tokio::test]
async fn a_veto_is_asked_only_of_what_changes_at_its_place_and_learns_all_of_it() {
    let node = node();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&asked);
    let veto = node.settings.veto("interface", patient(), move |it| {
        let edits: Vec<String> = it.edits.iter().map(|edit| edit.path.to_string()).collect();
        let results = |at: &foundation_store::config::Snapshot<Settings>| {
            format!("{}@{}", at.document.interface.max_results, at.version)
        };
        told.lock().expect("no panic").push(format!(
            "{} to {}: {} by {:?} for {:?}, preview {}",
            results(&it.before),
            results(&it.after),
            edits.join(" "),
            it.actor,
            it.reason,
            it.is_preview
        ));
        Ok(())
    });
    let veto = veto.expect("is added");
    let settings = &node.settings;
    settings.set(RESULTS, 0).await.expect_err("never asked of what is not valid");
    settings.set("log.level", "warn").await.expect("elsewhere");
    settings.set(RESULTS, settings.get().interface.max_results).await.expect("is pinned");
    settings.set(RESULTS, 5).set("log.level", "info").actor("ops").reason("so").await.expect("set");
    settings.set(RESULTS, 6).preview().await.expect("would be");
    drop(veto);
    settings.set(RESULTS, 7).await.expect("nobody is asked any more");
    insta::assert_snapshot!(asked.lock().expect("no panic").join("\n"), @r#"
    1000@2 to 5@3: interface.max_results log.level by Some("ops") for Some("so"), preview false
    5@3 to 6@4: interface.max_results by None for None, preview true
    "#);
}

#[tokio::test]
async fn all_who_refuse_are_told_and_a_panic_harms_nobody_else() {
    let node = node();
    let panics = |_: &Proposed<Settings>| panic!("a defect of the application");
    let _first = node.settings.veto("", terms(OnSilence::Ignore), panics).expect("is added");
    let _second = at_most(&node.settings, 10);
    let _third = node.settings.veto_async("", patient(), |proposed| async move {
        match proposed.after.document.interface.max_results {
            13 => Err("unlucky".to_owned()),
            _ => Ok(()),
        }
    });
    let error = node.settings.set(RESULTS, 13).await.expect_err("two say no");
    insta::assert_snapshot!(error.to_string(), @"interface.max_results: more than 10 do not fit (and 1 more problem)");
    node.settings.set(RESULTS, 9).await.expect("the panic is ignored by choice");
    let _fourth = node.settings.veto("", terms(OnSilence::Refuse), panics).expect("is added");
    let error = node.settings.set(RESULTS, 8).await.expect_err("this one refuses");
    insta::assert_snapshot!(error.to_string(), @"who may refuse the change panicked");
}

#[tokio::test(start_paused = true)]
async fn silence_refuses_or_is_ignored_by_choice_after_the_deadline() {
    for (on_silence, is_made) in [(OnSilence::Refuse, false), (OnSilence::Ignore, true)] {
        let node = node();
        let never = |_| std::future::pending();
        let terms = VetoTerms { on_silence, ..VetoTerms::default() };
        let _veto = node.settings.veto_async("", terms, never).expect("is added");
        let began = tokio::time::Instant::now();
        let made = node.settings.set(RESULTS, 5).await;
        let waited = began.elapsed();
        assert!(waited >= Duration::from_millis(50) && waited < Duration::from_millis(60));
        assert_eq!(made.is_ok(), is_made, "{on_silence:?}");
        if let Err(error) = made {
            insta::assert_snapshot!(error.to_string(), @"who may refuse the change gave no answer within 50ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_never_returns_holds_one_thread_and_no_reader() {
    let node = node();
    // The closure goes on when the sender is gone: with the test, also by a panic.
    let (_release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let (calls, entered) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, told) = (Arc::clone(&calls), Arc::clone(&entered));
    let stuck = move |_: &Proposed<Settings>| {
        counted.fetch_add(1, Ordering::SeqCst);
        told.notify_one();
        let _ = released.lock().expect("one call at a time").recv();
        Ok(())
    };
    let _veto = node.settings.veto("", VetoTerms::default(), stuck).expect("is added");
    let settings = node.settings.clone();
    let first = tokio::spawn(async move { settings.set(RESULTS, 5).await });
    entered.notified().await;
    assert_eq!(node.settings.version().number(), 0, "readers go on meanwhile");
    // A paused clock does not move by itself while a thread is busy.
    tokio::time::advance(Duration::from_millis(51)).await;
    assert_eq!(first.await.expect("no panic").expect_err("silent").kind(), ErrorKind::Vetoed);
    for _ in 0..100 {
        let error = node.settings.set(RESULTS, 5).await.expect_err("silent at once");
        assert_eq!(error.kind(), ErrorKind::Vetoed);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_change_from_within_a_veto_is_an_error_at_once() {
    let node = node();
    let (inner, seen) = (node.settings.clone(), Arc::new(Mutex::new(Vec::new())));
    let told = Arc::clone(&seen);
    let veto = node.settings.veto_async("", patient(), move |_| {
        let (settings, told) = (inner.clone(), Arc::clone(&told));
        async move {
            let made = settings.set(RESULTS, 6).await.map(drop);
            let previewed = settings.set(RESULTS, 6).preview().await.map(drop);
            told.lock().expect("no panic").extend([made, previewed]);
            Ok(())
        }
    });
    let _veto = veto.expect("is added");
    let (inner, told) = (node.settings.clone(), Arc::clone(&seen));
    let blocking = node.settings.veto("", patient(), move |_| {
        let runtime = tokio::runtime::Handle::current();
        let made = runtime.block_on(async { inner.set(RESULTS, 6).await.map(drop) });
        told.lock().expect("no panic").push(made);
        Ok(())
    });
    let _blocking = blocking.expect("is added");
    node.settings.set(RESULTS, 5).await.expect("both agree in the end");
    let seen = seen.lock().expect("no panic");
    let kinds: Vec<ErrorKind> =
        seen.iter().map(|one: &Result<()>| one.as_ref().expect_err("refused").kind()).collect();
    assert_eq!(kinds, [ErrorKind::WithinVeto; 3]);
    assert_eq!(node.settings.version().number(), 1);
}

#[tokio::test]
async fn what_a_veto_was_asked_before_its_caller_left_is_waited_for() {
    let node = node();
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (Arc::clone(&entered), Arc::clone(&go));
    let veto = node.settings.veto_async("", patient(), move |_| {
        let (told, wait) = (Arc::clone(&told), Arc::clone(&wait));
        async move {
            told.notify_one();
            wait.notified().await;
            Ok(())
        }
    });
    let _veto = veto.expect("is added");
    let settings = node.settings.clone();
    let gone = tokio::spawn(async move { settings.set(RESULTS, 5).await });
    entered.notified().await;
    gone.abort();
    assert!(gone.await.expect_err("aborted").is_cancelled());
    go.notify_one();
    let settings = node.settings.clone();
    let next = tokio::spawn(async move { settings.set(RESULTS, 6).await });
    entered.notified().await;
    go.notify_one();
    next.await.expect("no panic").expect("is asked and agreed to");
}

#[tokio::test]
async fn terms_beyond_the_limits_are_refused() {
    let node = node();
    for millis in [0, 10_001] {
        let terms = VetoTerms { deadline: Duration::from_millis(millis), ..VetoTerms::default() };
        let error = node.settings.veto("", terms, |_| Ok(())).expect_err("beyond");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    let error = node.settings.veto("a b", VetoTerms::default(), |_| Ok(())).expect_err("no path");
    assert_eq!(error.kind(), ErrorKind::InvalidPath);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for, nothing is ever published that a veto refused, and the versions are
    /// as many as there were changes that made a difference and were agreed to.
    #[test]
    fn only_what_is_agreed_to_is_published(wanted in prop::collection::vec(1_u64..20, 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let node = node();
            let refused = Arc::new(AtomicU64::new(0));
            let _veto = at_most(&node.settings, 10);
            let mut now = node.settings.get().interface.max_results;
            let mut versions = 0;
            for results in wanted {
                let made = node.settings.set(RESULTS, results).await;
                let agreed = results <= 10 || results == now;
                assert_eq!(made.is_ok(), agreed);
                if agreed && results != now {
                    (now, versions) = (results, versions + 1);
                }
                refused.fetch_add(u64::from(!agreed), Ordering::SeqCst);
                assert_eq!(node.settings.get().interface.max_results, now);
                assert_eq!(node.settings.version().number(), versions);
            }
            let recorded = node.refused().await.len() as u64;
            assert_eq!(recorded, refused.load(Ordering::SeqCst).min(10));
        });
    }
}
