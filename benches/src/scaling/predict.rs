//! What the simulation predicts for machines with more cores.

use futureproof_benches::markdown;

use crate::grid::{Grid, Unit};
use crate::measure::Costs;
use crate::sim::{
    self, Body, Handout, Kind, Loop, MICRO, MILLI, Machine, NANO, Outcome, Sizing, Time, Token,
    Waking,
};

/// The kinds of source, as the engine has them.
pub const KINDS: [(&str, Kind); 3] = [
    ("indexed", Kind::Indexed(Handout::Counter)),
    ("shared", Kind::Shared(Token::One)),
    ("caller-fed", Kind::Fed),
];

/// The bodies.
pub const BODIES: [(&str, Body); 7] = [
    ("10 ns", Body::Even(10 * NANO)),
    ("100 ns", Body::Even(100 * NANO)),
    ("1 µs", Body::Even(MICRO)),
    ("10 µs", Body::Even(10 * MICRO)),
    ("100 µs", Body::Even(100 * MICRO)),
    ("1 ms", Body::Even(MILLI)),
    ("1 µs, 1 in 100 is 100 µs", Body::Skewed(MICRO)),
];

const CORES: [usize; 4] = [2, 16, 64, 256];

/// Predicts for machines whose costs are partly measured and partly assumed.
#[derive(Debug)]
pub struct Prophet<'a> {
    costs: &'a Costs,
    /// How long the simulated loops take with everybody at work.
    length: Time,
}

impl<'a> Prophet<'a> {
    pub fn new(costs: &'a Costs, length: Time) -> Self {
        Self { costs, length }
    }

    fn run(&self, kind: Kind, body: Body, cores: usize) -> Outcome {
        let machine = Machine::with(self.costs, cores);
        Loop::lasting(self.length, kind, body, &machine).run(&machine)
    }

    /// What is assumed of machines with more cores.
    pub fn assumptions(&self) -> (Grid, String) {
        let sizes: Vec<usize> = sim::TRANSFERS.iter().map(|(cores, _)| *cores).collect();
        let mut grid = Grid::new("assumed", "cores, up to")
            .column("2 (measured)", Unit::Nanos)
            .columns(&sizes, Unit::Nanos);
        let measured = Some(self.costs.get("transfer"));
        let assumed = sim::TRANSFERS.iter().map(|(_, nanos)| Some(*nanos));
        grid.row(
            "transfer of a cache line",
            std::iter::once(measured).chain(assumed),
        );
        let nanos = |time: Time| markdown::nanos(time as f64 / NANO as f64);
        let rest = format!(
            "On more than two cores a contended compare-exchange holds its line {} times as long as a `fetch_add`; a wake-up \
             costs the waker {}, and the woken thread runs after {}; where it has slept for {} or longer, {} and {}.",
            sim::RETRIES,
            nanos(sim::WAKE.cost),
            nanos(sim::WAKE.latency),
            nanos(sim::DEEP_AFTER),
            nanos(sim::DEEP_WAKE.cost),
            nanos(sim::DEEP_WAKE.latency),
        );
        (grid, rest)
    }

    /// Efficiency and load of the hand-out, for each kind of source.
    pub fn sources(&self, index: usize) -> (&'static str, Grid) {
        let (name, kind) = KINDS[index];
        let key = ["efficiency_indexed", "efficiency_shared", "efficiency_fed"][index];
        let busy = CORES.map(|cores| format!("busy at {cores}"));
        let mut grid = Grid::new(key, "body")
            .columns(&CORES, Unit::Share)
            .columns(&busy, Unit::Share);
        for (body_name, body) in BODIES {
            let outcomes = CORES.map(|cores| self.run(kind, body, cores));
            let efficiencies = outcomes.iter().map(|outcome| Some(outcome.efficiency()));
            let busy = outcomes.iter().map(|outcome| Some(outcome.handout));
            grid.row(body_name, efficiencies.chain(busy));
        }
        (name, grid)
    }

    /// The number of cores from which on the efficiency is below a mark.
    pub fn limits(&self) -> Grid {
        const SIZES: [usize; 9] = [2, 4, 8, 16, 32, 64, 128, 256, 512];
        let mut grid = Grid::new("limits", "body");
        for (name, _) in KINDS {
            grid = grid.columns(
                &[format!("{name}: below 0.9"), format!("{name}: below 0.5")],
                Unit::Count,
            );
        }
        for (body_name, body) in BODIES {
            let mut row = Vec::new();
            for (_, kind) in KINDS {
                let curve = SIZES.map(|cores| (cores, self.run(kind, body, cores).efficiency()));
                for mark in [0.9, 0.5] {
                    // From there on, and not only there: skewed bodies have their ups and downs.
                    let below = curve
                        .iter()
                        .rev()
                        .take_while(|(_, efficiency)| *efficiency < mark);
                    row.push(below.last().map(|(cores, _)| *cores as f64));
                }
            }
            grid.row(body_name, row);
        }
        grid
    }

    /// Other ways to hand indices out.
    pub fn handouts(&self) -> Grid {
        const SIZES: [usize; 5] = [16, 64, 128, 256, 512];
        let engine = sim::SIZING;
        let wait_counts = Sizing {
            counts_handout: true,
            ..engine
        };
        let larger = Sizing {
            worth: 50 * MICRO,
            ..engine
        };
        let ways = [
            ("as in the engine", Handout::Counter, engine, 1.0),
            (
                "the same, transfers half as long",
                Handout::Counter,
                engine,
                0.5,
            ),
            (
                "the same, transfers twice as long",
                Handout::Counter,
                engine,
                2.0,
            ),
            (
                "the wait for a batch counts as bodies",
                Handout::Counter,
                wait_counts,
                1.0,
            ),
            ("batches worth 50 µs", Handout::Counter, larger, 1.0),
            ("always by compare-exchange", Handout::Exchange, engine, 1.0),
            (
                "one claims for a group of 8",
                Handout::Groups(8),
                engine,
                1.0,
            ),
            (
                "a counter for each 8 workers",
                Handout::Shards(8),
                engine,
                1.0,
            ),
            (
                "a counter for each 32 workers",
                Handout::Shards(32),
                engine,
                1.0,
            ),
            (
                "a counter each, stealing halves",
                Handout::Steal,
                engine,
                1.0,
            ),
        ];
        let mut grid = Grid::new("handouts", "hand-out").columns(&SIZES, Unit::Share);
        for (name, handout, sizing, transfer) in ways {
            let row = SIZES.map(|cores| {
                let mut machine = Machine::with(self.costs, cores);
                machine.transfer = (machine.transfer as f64 * transfer) as Time;
                let kind = Kind::Indexed(handout);
                let plan = Loop::lasting(self.length, kind, Body::Even(MICRO), &machine);
                Some(Loop { sizing, ..plan }.run(&machine).efficiency())
            });
            grid.row(name, row);
        }
        grid
    }

    /// Who goes for the token of a shared source.
    pub fn tokens(&self) -> Grid {
        const SIZES: [usize; 6] = [8, 16, 32, 64, 128, 256];
        let mut grid =
            Grid::new("tokens", "bodies; when the token is passed on").columns(&SIZES, Unit::Share);
        for (body_name, body) in &BODIES[1..4] {
            for (way, token) in [
                ("the winner locks, as in the engine", Token::One),
                ("all lock", Token::All),
            ] {
                let row = SIZES
                    .map(|cores| Some(self.run(Kind::Shared(token), *body, cores).efficiency()));
                grid.row(format!("{body_name}, {way}"), row);
            }
        }
        grid
    }

    /// Other ways to wake the workers: how long loops take, and when everybody has come.
    pub fn wakings(&self) -> Grid {
        const CORES: [usize; 3] = [16, 64, 256];
        const LENGTHS: [(&str, Time); 3] = [
            ("0.1 ms", MILLI / 10),
            ("1 ms", MILLI),
            ("10 ms", 10 * MILLI),
        ];
        const WAYS: [(&str, Waking); 6] = [
            ("one by one", Waking::By(1)),
            ("two by two, as in the engine", Waking::ENGINE),
            ("the same with the pool's lock held", Waking::Locked),
            ("eight by eight", Waking::By(8)),
            ("the caller all", Waking::Caller),
            ("nobody asleep", Waking::Awake),
        ];
        let mut grid = Grid::new("wakings", "who wakes").columns(
            &CORES.map(|cores| format!("{cores}: all there")),
            Unit::Nanos,
        );
        for (name, _) in LENGTHS {
            grid = grid.columns(&CORES.map(|cores| format!("{cores}: {name}")), Unit::Share);
        }
        for (way, waking) in WAYS {
            let run = |length: Time, cores: usize| {
                let machine = Machine::with(self.costs, cores);
                // A counter each, so that nobody waits for the hand-out.
                let kind = Kind::Indexed(Handout::Steal);
                let plan = Loop::lasting(length, kind, Body::Even(MICRO), &machine);
                Loop { waking, ..plan }.run(&machine)
            };
            let there =
                CORES.map(|cores| Some(run(100 * MILLI, cores).all_there as f64 / NANO as f64));
            let efficiencies = LENGTHS
                .iter()
                .flat_map(|&(_, length)| CORES.map(|cores| Some(run(length, cores).efficiency())));
            grid.row(way, there.into_iter().chain(efficiencies));
        }
        grid
    }
}
