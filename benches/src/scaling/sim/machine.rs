//! The machine that is simulated: what coordination costs on it.

#[cfg(test)]
use super::NANO;
use super::{MICRO, Time, time};
use crate::measure::Costs;

/// Costs of a machine with a certain number of cores.
#[derive(Debug, Clone)]
pub struct Machine {
    /// As many as there are workers.
    pub cores: usize,
    /// A cache line from another core.
    pub transfer: Time,
    /// A claim of a chunk whose line is in the own cache.
    pub claim: Time,
    /// How much longer a compare-exchange loop holds a contended line than a `fetch_add` does.
    pub retries: f64,
    /// A mutex, locked and unlocked by the core that had it last.
    pub lock: Time,
    /// So long a mutex is waited for awake.
    pub lock_spin: Time,
    /// Waking a thread that has slept for a moment, and one whose core has gone to sleep, too, which it does after so long.
    pub wake: Wake,
    pub deep_wake: Wake,
    pub deep_after: Time,
    /// From the call of a loop to the first batch, and from the last batch to the return.
    pub setup: Time,
    /// What a batch costs beside its claim: the clock, looks at the signals, the count.
    pub batch: Time,
    /// A reading of the clock.
    pub clock: Time,
    /// A shared source, per item, where each is pulled just before it runs.
    pub live: Time,
    /// A shared source, per item: what is done with the token, and what the one who runs it does.
    pub shared: Pulled,
    /// A caller-fed source, per item: what the caller does, and what the one who runs it does.
    pub fed: Pulled,
}

/// The cost of a wake-up.
#[derive(Debug, Clone, Copy)]
pub struct Wake {
    /// To the waker.
    pub cost: Time,
    /// Until the woken thread runs, counted from the same moment.
    pub latency: Time,
}

/// The cost of an item from a pulled source, without its body.
#[derive(Debug, Clone, Copy)]
pub struct Pulled {
    /// To pull it and lay it down for others.
    pub lay: Time,
    /// To take it up.
    pub take: Time,
}

/// What is assumed of machines with more than two cores; `benches/SCALING.md` names the sources.
///
/// The time in nanoseconds that a cache line needs from one core to another, for machines with up to so many cores.
pub const TRANSFERS: [(usize, f64); 5] = [
    (16, 50.0),
    (64, 115.0),
    (128, 160.0),
    (256, 200.0),
    (512, 300.0),
];
/// How much longer a compare-exchange loop holds a contended line than a `fetch_add` does.
pub const RETRIES: f64 = 2.5;
/// A wake-up after a short sleep and after a long one.
pub const WAKE: Wake = Wake {
    cost: 2 * MICRO,
    latency: 3 * MICRO,
};
pub const DEEP_WAKE: Wake = Wake {
    cost: 2 * MICRO,
    latency: 60 * MICRO,
};
/// So long a sleep is a long one.
pub const DEEP_AFTER: Time = 600 * MICRO;
/// The same for the machine that the costs are measured on: a virtual one, where Linux's `haltpoll` keeps an idle core
/// awake for at most so long.
const MEASURED_DEEP_AFTER: Time = 200 * MICRO;

impl Machine {
    /// The cost of waking a thread that has slept so long.
    pub fn wake_after(&self, asleep: Time) -> Wake {
        if asleep < self.deep_after {
            self.wake
        } else {
            self.deep_wake
        }
    }

    /// Costs of the usual size, for tests.
    #[cfg(test)]
    pub fn example(cores: usize) -> Self {
        let pulled = Pulled {
            lay: 5 * NANO,
            take: 5 * NANO,
        };
        Self {
            cores,
            transfer: 100 * NANO,
            claim: 10 * NANO,
            retries: 2.0,
            lock: 15 * NANO,
            lock_spin: MICRO,
            wake: Wake {
                cost: 2 * MICRO,
                latency: 2 * MICRO,
            },
            deep_wake: Wake {
                cost: 10 * MICRO,
                latency: 20 * MICRO,
            },
            deep_after: DEEP_AFTER,
            setup: 200 * NANO,
            batch: 50 * NANO,
            clock: 20 * NANO,
            live: 3 * NANO,
            shared: pulled,
            fed: pulled,
        }
    }

    /// The machine that the costs were measured on.
    pub fn measured(costs: &Costs, cores: usize) -> Self {
        let item = costs.get("item");
        let pulled = |lay: &str, take: &str| Pulled {
            lay: time(costs.get(lay)),
            take: time(costs.get(take)),
        };
        let wake = |cost: &str, latency: &str| Wake {
            cost: time(costs.get(cost)),
            latency: time(costs.get(latency)),
        };
        Self {
            cores,
            transfer: time(costs.get("transfer")),
            claim: time(costs.get("claim")),
            retries: (costs.get("claim_contended") / costs.get("add_contended")).max(1.0),
            lock: time(costs.get("lock")),
            lock_spin: time(costs.get("lock_spin")),
            wake: wake("wake", "wake_latency"),
            deep_wake: wake("wake_deep", "wake_deep_latency"),
            deep_after: MEASURED_DEEP_AFTER,
            setup: time(costs.get("loop_1")),
            batch: time((costs.get("indexed_chunk_1") - costs.get("claim") - item).max(0.0)),
            clock: time(costs.get("clock")),
            live: time((costs.get("shared_1") - item).max(0.0)),
            shared: pulled("shared_lay", "shared_take"),
            fed: pulled("fed_lay", "fed_take"),
        }
    }

    /// The machine with so many cores that is simulated: the measured one, or one that has the same costs but for what is
    /// assumed.
    pub fn with(costs: &Costs, cores: usize) -> Self {
        let measured = Self::measured(costs, cores);
        if cores <= 2 {
            return measured;
        }
        let fitting = TRANSFERS.iter().find(|(size, _)| cores <= *size);
        let (_, transfer) = fitting.unwrap_or(&TRANSFERS[TRANSFERS.len() - 1]);
        Self {
            transfer: time(*transfer),
            retries: RETRIES,
            wake: WAKE,
            deep_wake: DEEP_WAKE,
            deep_after: DEEP_AFTER,
            ..measured
        }
    }
}
