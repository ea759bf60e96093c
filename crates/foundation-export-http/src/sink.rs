//! The sink: a connection that is kept as long as it is good, and a message at a time on it.

use foundation::exports::{CloudEvent, Delivered, ExportBatch, Sink, SinkError, async_trait};
use foundation::{Error, ErrorKind, Result};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::answer::refusal;
use crate::rules::{HttpRules, Mode};

/// Bytes of an answer that are read; what it says is not looked at.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const SINGLE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// Sends events to one address. The deadline of the export is that of a connection and all messages
/// of a batch together.
///
/// ```
/// use foundation::Secret;
/// use foundation_export_http::{HttpRules, HttpSink};
/// let token = Secret::new("Bearer hunter2".to_owned());
/// let headers = vec![("authorization".to_owned(), token)];
/// let rules = HttpRules { headers, ..HttpRules::default() };
/// let sink = HttpSink::new("http://127.0.0.1:8080/events", rules)?;
/// assert!(!format!("{sink:?}").contains("hunter2"));
/// assert!(HttpSink::new("https://example.org/", HttpRules::default()).is_err());
/// # Ok::<(), foundation::Error>(())
/// ```
pub struct HttpSink {
    address: String,
    uri: Uri,
    headers: HeaderMap,
    mode: Mode,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl HttpSink {
    /// A sink that posts to this URL; nothing is connected yet.
    ///
    /// # Errors
    /// `InvalidArgument` for what is no `http://` URL with a host, and for a header that cannot be one.
    pub fn new(url: &str, rules: HttpRules) -> Result<Self> {
        let wrong = |what: &str| {
            let shown: String = url.chars().take(128).collect();
            Error::new(ErrorKind::InvalidArgument, format!("{shown:?} {what}"))
        };
        let uri: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("is no http:// URL; for TLS send to a proxy that has it"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("has a user in it: say it by a header"));
        }
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
        let mut headers = HeaderMap::new();
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| wrong("names no host"))?;
        for (name, value) in rules.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|_| wrong("has a header whose name is none"))?;
            let value = HeaderValue::from_str(value.expose());
            let mut value = value.map_err(|_| wrong(&format!("has a {name} that is no header")))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        headers.insert(HOST, host);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = path.parse().map_err(|_| wrong("has no path"))?;
        Ok(Self { address, uri, headers, mode: rules.mode, connection: None })
    }

    async fn post(
        &mut self,
        kind: &'static str,
        body: Vec<u8>,
    ) -> std::result::Result<(), SinkError> {
        let mut request = Request::post(self.uri.clone()).body(Full::new(Bytes::from(body)));
        if let Ok(request) = &mut request {
            request.headers_mut().clone_from(&self.headers);
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let request = request.map_err(|cause| SinkError::failed(cause.to_string()))?;
        // It is put back only when its answer was read to the end: no answer is taken for another.
        let mut connection = self.connected().await?;
        let sent = connection.send_request(request).await;
        let answer = sent.map_err(|cause| SinkError::away(format!("no answer: {cause}")))?;
        let (head, body) = answer.into_parts();
        let after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let refused = refusal(head.status, after);
        if Limited::new(body, ANSWER_BYTES_MAX).collect().await.is_ok() {
            self.connection = Some(connection);
        }
        refused.map_or(Ok(()), Err)
    }

    /// The connection, if it is still good, or a new one.
    async fn connected(&mut self) -> std::result::Result<SendRequest<Full<Bytes>>, SinkError> {
        if let Some(mut kept) = self.connection.take()
            && kept.ready().await.is_ok()
        {
            return Ok(kept);
        }
        let away = |cause: &dyn std::fmt::Display| {
            SinkError::away(format!("{} is not reached: {cause}", self.address))
        };
        let stream = TcpStream::connect(&self.address).await.map_err(|cause| away(&cause))?;
        let (sender, driver) =
            handshake(TokioIo::new(stream)).await.map_err(|cause| away(&cause))?;
        // It ends with the sender, or with the other side.
        tokio::spawn(driver);
        Ok(sender)
    }
}

#[async_trait]
impl Sink for HttpSink {
    async fn deliver(&mut self, batch: &ExportBatch) -> std::result::Result<Delivered, SinkError> {
        let events = batch.events.iter().map(|one| CloudEvent::of(batch.store, &one.event));
        let written = |cause: serde_json::Error| SinkError::refused(cause.to_string());
        if self.mode == Mode::Batched {
            let events: Vec<CloudEvent<'_>> = events.collect();
            let body = serde_json::to_vec(&events).map_err(written)?;
            self.post(BATCH, body).await?;
            return Ok(Delivered::All);
        }
        for (taken, event) in events.enumerate() {
            let body = serde_json::to_vec(&event).map_err(written)?;
            match self.post(SINGLE, body).await {
                Ok(()) => {}
                // The one that failed comes again by itself, and tells why then.
                Err(_) if taken > 0 => return Ok(Delivered::First(taken)),
                Err(error) => return Err(error),
            }
        }
        Ok(Delivered::All)
    }
}

impl std::fmt::Debug for HttpSink {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("HttpSink")
            .field("address", &self.address)
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}
