//! Which windows a moment falls into.

use foundation_types::event::Window;

use super::micros;

/// The beginnings of the windows that the microsecond falls into; windows that follow the events
/// have none before all events are known.
pub(super) fn starts(window: Window, time: i64) -> impl Iterator<Item = i64> {
    let (size, step) = match window {
        Window::None | Window::Session { .. } => (1, 0),
        Window::Tumbling { size_ms } => (micros(size_ms), micros(size_ms)),
        Window::Sliding { size_ms, step_ms } => (micros(size_ms), micros(step_ms)),
    };
    let last = if step == 0 { 0 } else { time.div_euclid(step).saturating_mul(step) };
    let before = move |start: &i64| (step > 0).then(|| start.saturating_sub(step));
    std::iter::successors(Some(last), before)
        .take_while(move |start| step == 0 || start.saturating_add(size) > time)
}

/// The length in microseconds of windows that do not follow the events.
pub(super) fn size(window: Window) -> Option<i64> {
    match window {
        Window::None | Window::Session { .. } => None,
        Window::Tumbling { size_ms } | Window::Sliding { size_ms, .. } => Some(micros(size_ms)),
    }
}
