//! What stands in the place of the meters where the cargo feature `metrics` is off: types without a value.

/// Nowhere to report a duration to.
#[derive(Clone)]
pub(super) enum Durations {}

/// Never there.
pub(crate) enum Sampler {}

impl Sampler {
    pub(super) fn new(durations: Durations, _: u64) -> Self {
        match durations {}
    }

    pub(crate) fn wants(&self, _items: usize) -> bool {
        match *self {}
    }

    pub(crate) fn ran(&mut self, _items: usize, _elapsed: u64, _now: u64) {
        match *self {}
    }
}
