//! What the answer of a receiver means for the export.

use std::time::Duration;

use foundation::exports::SinkError;
use hyper::StatusCode;

/// Nothing if it is taken.
///
/// Any 2xx takes it. 408, 425, 429, 502, 503 and 504 say that the receiver is away or busy, with
/// `Retry-After` in seconds; 401, 403, 404 and 407 are about the receiver too, since no event is right
/// while they last. Any other 4xx is about the event, and other answers are about nobody knows what.
pub(crate) fn refusal(status: StatusCode, retry_after: Option<&str>) -> Option<SinkError> {
    if status.is_success() {
        return None;
    }
    let cause = format!("the receiver answered {status}");
    let error = match status.as_u16() {
        401 | 403 | 404 | 407 | 408 | 425 | 429 | 502..=504 => SinkError::away(cause),
        400..=499 => SinkError::refused(cause),
        _ => SinkError::failed(cause),
    };
    let seconds = retry_after.and_then(|text| text.trim().parse().ok());
    Some(match seconds {
        Some(seconds) => error.retry_after(Duration::from_secs(seconds)),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_about_the_receiver_or_about_the_event() {
        let told = |code: u16| {
            let status = StatusCode::from_u16(code).expect("a code");
            refusal(status, Some("7"))
        };
        let error = |code: u16| {
            let status = StatusCode::from_u16(code).expect("a code");
            format!("the receiver answered {status}")
        };
        let seconds = Duration::from_secs(7);
        assert_eq!(told(202), None);
        assert_eq!(told(503), Some(SinkError::away(error(503)).retry_after(seconds)));
        assert_eq!(told(401), Some(SinkError::away(error(401)).retry_after(seconds)));
        assert_eq!(told(422), Some(SinkError::refused(error(422)).retry_after(seconds)));
        assert_eq!(told(500), Some(SinkError::failed(error(500)).retry_after(seconds)));
        assert_eq!(told(301), Some(SinkError::failed(error(301)).retry_after(seconds)));
    }
}
