//! What the environment says.

use std::time::Duration;

pub(crate) const SEED: &str = "FUTUREPROOF_STRESS_SEED";
pub(crate) const ROUNDS: &str = "FUTUREPROOF_STRESS_ROUNDS";
pub(crate) const SECONDS: &str = "FUTUREPROOF_STRESS_SECONDS";
pub(crate) const PROGRAM: &str = "FUTUREPROOF_STRESS_PROGRAM";
pub(crate) const GUARD: &str = "FUTUREPROOF_STRESS_GUARD";
pub(crate) const SHRINK: &str = "FUTUREPROOF_STRESS_SHRINK";
/// Set for a child process.
pub(crate) const CHILD: &str = "FUTUREPROOF_STRESS_CHILD";

pub(crate) struct Settings {
    pub(crate) seed: Option<u64>,
    pub(crate) rounds: Option<u64>,
    /// Instead of a number of rounds.
    pub(crate) seconds: Option<f64>,
    pub(crate) program: Option<String>,
    /// So long one program may take.
    pub(crate) guard: Duration,
    /// So long shrinking may take.
    pub(crate) shrink: Duration,
    pub(crate) is_child: bool,
}

impl Settings {
    pub(crate) fn new() -> Self {
        let seconds = |name, default| Duration::from_secs(number(name).unwrap_or(default));
        Self {
            seed: number(SEED),
            rounds: number(ROUNDS),
            seconds: number(SECONDS),
            program: text(PROGRAM),
            guard: seconds(GUARD, 60),
            shrink: seconds(SHRINK, 180),
            is_child: text(CHILD).is_some(),
        }
    }
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number<N: std::str::FromStr>(name: &str) -> Option<N> {
    let text = text(name)?;
    let number = text.parse().ok();
    assert!(
        number.is_some(),
        "{name} must be a number, but it is {text:?}"
    );
    number
}
