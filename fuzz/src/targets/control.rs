//! What comes through the control socket: the JSON of a request.

use foundation_services::control::Request;

/// The input is the body of one frame.
///
/// # Panics
/// If what was read is written and read again as something else.
pub fn run(input: &[u8]) {
    let Ok(request) = serde_json::from_slice::<Request>(input) else { return };
    let written = serde_json::to_string(&request).expect("a request is JSON");
    let again: Request = serde_json::from_str(&written).expect("what was written is read");
    assert!(again == request, "{again:?} is not {request:?}");
}

/// Requests of most kinds.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"get_status":{}}"#,
        r#"{"config_get":{"document":"shop","path":"a.b","at":3}}"#,
        r#"{"config_fields":{"document":"shop"}}"#,
        r#"{"config_update":{"document":"shop","edits":[["a.b",{"value":{"n":[1,2.5,null]}}],["c","nothing"],["d","default"]],"expected":"any","actor":"a","reason":null,"dry_run":true}}"#,
        r#"{"config_rollback":{"document":"shop","version":2,"expected":{"exact":3},"actor":null,"reason":"r"}}"#,
        r#"{"config_history":{"document":"shop","query":{"limit":3}}}"#,
        r#"{"config_diff":{"document":"shop","from":1,"to":2}}"#,
        r#"{"table_list":{}}"#,
        r#"{"table_get":{"table":"stock","key":{"a":[1]}}}"#,
        r#"{"table_rows":{"table":"stock","after":null,"limit":10}}"#,
        r#"{"table_put":{"table":"stock","key":"k","value":{"n":1e3},"missing":"make"}}"#,
        r#"{"table_remove":{"table":"stock","key":7}}"#,
        r#"{"append":{"event":{"type":"a","id":"1","time":"2026-01-01T00:00:00Z","data":[1]},"stream":"s","expected":"no_stream"}}"#,
        r#"{"append_each":{"events":[{"type":"a"},{"type":"b","data":null}]}}"#,
        r#"{"event_get":{"id":"1"}}"#,
        r#"{"events_query":{"query":{"type":"a","order":"desc","limit":5,"after":9}}}"#,
        r#"{"events_trace":{"correlation_id":"c"}}"#,
        r#"{"events_aggregate":{"query":{"type":"a"},"aggregation":{"measures":["count","p99.9:data.a[0]"],"by":["type","data.b"],"window":{"sliding":{"size_ms":60000,"step_ms":10000}},"lateness":{"allowed_ms":5,"late":"row"}}}}"#,
        r#"{"events_stats":{}}"#,
        r#"{"get_metrics":{}}"#,
        r#"{"take_dump":{"directory":"/tmp"}}"#,
        r#"{"verify":{}}"#,
        r#"{"config_schema":{"document":"shop"}}"#,
        r#"{"config_template":{"document":"shop"}}"#,
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
