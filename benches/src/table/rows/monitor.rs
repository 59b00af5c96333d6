//! What it costs to be watched.

use std::io;
use std::num::Wrapping;
use std::time::Duration;

use futureproof::{MonitorInterval, ParallelFor, pull};
use futureproof_benches::body::spin;

use super::pulled;
use crate::bar::Bar;
use crate::case::Case;
use crate::row::Row;
use crate::setup::Setup;

pub fn monitor(setup: &Setup) -> Row {
    let items = setup.pick(10_000_000, 2_000_000, 1_000);
    let (threads, rounds) = (setup.threads, setup.spins.tenth);
    let watched = |monitor: MonitorInterval| ParallelFor::new().workers(threads).monitor(monitor);
    let add = move |sum: &mut Wrapping<u64>, item| *sum += spin(rounds, item);
    let range = |monitor| {
        let mut sum = Wrapping(0);
        watched(monitor).fold_into(&mut sum, 0..items, add);
        sum.0
    };
    let lazy = |monitor| {
        let mut sum = Wrapping(0);
        watched(monitor).fold_into(&mut sum, pull(pulled(items)), add);
        sum.0
    };
    let often = MonitorInterval::from(Duration::from_millis(100));
    let off = MonitorInterval::from(false);

    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(io::sink)
        .finish();
    let mut case = Case::new(items);
    case.add("ours, range", || range(MonitorInterval::default()));
    case.add("ours, range, every 100 ms", || range(often));
    case.add("ours, range, monitor off", || range(off));
    case.add("ours, pulled", || lazy(MonitorInterval::default()));
    case.add("ours, pulled, every 100 ms", || lazy(often));
    case.add("ours, pulled, monitor off", || lazy(off));
    for (watched, off) in [
        ("ours, range", "ours, range, monitor off"),
        ("ours, range, every 100 ms", "ours, range, monitor off"),
        ("ours, pulled", "ours, pulled, monitor off"),
        ("ours, pulled, every 100 ms", "ours, pulled, monitor off"),
    ] {
        case.bar(Bar::against(watched, 1.02, &[off]));
    }
    case.note("A subscriber at INFO formats what the loops report and drops it; by default that is every 2 s.");
    tracing::subscriber::with_default(subscriber, || case.run(setup))
}
