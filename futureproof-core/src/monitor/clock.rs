//! The time as the monitor sees it.

#[cfg(not(all(test, not(loom))))]
pub(crate) use crate::sync::Instant as Clock;

#[cfg(all(test, not(loom)))]
pub(crate) use self::fake::Clock;

/// In the crate's own tests the monitor's time stands still until a test moves it.
#[cfg(all(test, not(loom)))]
pub(crate) mod fake {
    use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
    use std::time::{Duration, Instant};

    static PASSED: Mutex<Duration> = Mutex::new(Duration::ZERO);

    pub(crate) struct Clock;

    impl Clock {
        pub(crate) fn now() -> Instant {
            static START: OnceLock<Instant> = OnceLock::new();
            *START.get_or_init(Instant::now) + *passed()
        }
    }

    fn passed() -> MutexGuard<'static, Duration> {
        PASSED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the time on, and returns when the monitor has said all that it has to say by then.
    pub(crate) fn advance(by: Duration) {
        *passed() += by;
        crate::monitor::ticker::settle();
    }
}
