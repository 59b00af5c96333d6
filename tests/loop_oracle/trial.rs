//! One trial: what its items do, and the options of its loops.

use futureproof::{ErrorPolicy, TaskPool};
use std::sync::LazyLock;

/// What the body does with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    Next,
    Continue,
    Break,
    /// `?` on an error of another type than the function's.
    Fail,
    /// `return`, with a value.
    Return,
    Panic,
    /// To the loop around, where there is one.
    ContinueOuter,
    BreakOuter,
    /// To the loop around that.
    ContinueOutmost,
    BreakOutmost,
    /// `None?` in a closure of its own.
    Inner,
    Stop,
}

pub(crate) const ACTS: [Act; 12] = [
    Act::Next,
    Act::Continue,
    Act::Break,
    Act::Fail,
    Act::Return,
    Act::Panic,
    Act::ContinueOuter,
    Act::BreakOuter,
    Act::ContinueOutmost,
    Act::BreakOutmost,
    Act::Inner,
    Act::Stop,
];

const WORKERS: [usize; 6] = [2, 1, 3, 4, 7, 16];
const BATCHES: [usize; 5] = [usize::MAX, 1, 2, 7, 64];
const LIMITS: [usize; 4] = [1, 2, 3, 16];
const POLICIES: [ErrorPolicy; 3] = [ErrorPolicy::Raise, ErrorPolicy::Ignore, ErrorPolicy::Log];
/// So many items an array has.
pub(crate) const ARRAY: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trial {
    pub(crate) workers: usize,
    pub(crate) batch: usize,
    /// Which pool; the one past the last is the global one.
    pool: usize,
    pub(crate) policy: ErrorPolicy,
    /// How wrong the size hint is.
    pub(crate) lie: usize,
    /// How long rows are, where items come in rows.
    pub(crate) row: usize,
    pub(crate) acts: Vec<Act>,
}

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

impl Trial {
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random(seed);
        let count = [0, 1, 2, 5, 12, 30, 60, 300][random.below(8)];
        // Few of the items do something, so that there are loops that come far.
        let rare = [2, 10, 50, 400][random.below(4)];
        let mut act = || match random.below(rare) {
            0 => ACTS[random.below(ACTS.len())],
            _ => Act::Next,
        };
        let acts = (0..count).map(|_| act()).collect();
        Self {
            workers: WORKERS[random.below(WORKERS.len())],
            batch: BATCHES[random.below(BATCHES.len())],
            pool: random.below(LIMITS.len() + 1),
            policy: POLICIES[random.below(POLICIES.len())],
            lie: random.below(6),
            row: 1 + random.below(5),
            acts,
        }
    }

    /// One word, for an environment variable.
    pub(crate) fn to_word(&self) -> String {
        fn place<T: PartialEq>(of: &T, among: &[T]) -> usize {
            among.iter().position(|other| other == of).unwrap_or(0)
        }
        let mut numbers = vec![
            place(&self.workers, &WORKERS),
            place(&self.batch, &BATCHES),
            self.pool,
            place(&self.policy, &POLICIES),
            self.lie,
            self.row,
        ];
        numbers.extend(self.acts.iter().map(|act| place(act, &ACTS)));
        let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        words.join(".")
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let numbers: Option<Vec<usize>> = word.split('.').map(|word| word.parse().ok()).collect();
        let numbers = numbers?;
        let (options, acts) = numbers.split_at_checked(6)?;
        let acts: Option<Vec<Act>> = acts.iter().map(|&act| ACTS.get(act).copied()).collect();
        Some(Self {
            workers: *WORKERS.get(options[0])?,
            batch: *BATCHES.get(options[1])?,
            pool: options[2],
            policy: *POLICIES.get(options[3])?,
            lie: options[4],
            row: options[5].max(1),
            acts: acts?,
        })
    }

    pub(crate) fn pool(&self) -> &'static TaskPool {
        static POOLS: LazyLock<Vec<TaskPool>> = LazyLock::new(|| {
            let pool = |&limit: &usize| TaskPool::builder().workers(limit).name("oracle").build();
            LIMITS.iter().map(pool).collect()
        });
        POOLS.get(self.pool).unwrap_or_else(|| TaskPool::global())
    }

    /// How many bodies may run at once.
    pub(crate) fn most_workers(&self) -> usize {
        self.workers
            .min(LIMITS.get(self.pool).copied().unwrap_or(usize::MAX))
    }

    /// Trials that are a little smaller, the boldest first.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let with = |change: &dyn Fn(&mut Self)| {
            let mut trial = self.clone();
            change(&mut trial);
            trial
        };
        let count = self.acts.len();
        let mut length = count;
        while length > 0 {
            for start in (0..count).step_by(length) {
                let end = count.min(start + length);
                smaller.push(with(&|trial| drop(trial.acts.drain(start..end))));
            }
            length /= 3;
        }
        for at in 0..count {
            smaller.push(with(&|trial| trial.acts[at] = Act::Next));
        }
        smaller.push(with(&|trial| trial.workers = WORKERS[0]));
        smaller.push(with(&|trial| trial.batch = BATCHES[0]));
        smaller.push(with(&|trial| trial.pool = LIMITS.len()));
        smaller.push(with(&|trial| trial.policy = POLICIES[0]));
        smaller.push(with(&|trial| trial.lie = 0));
        smaller.push(with(&|trial| trial.row = 1));
        smaller.retain(|trial| trial != self);
        smaller
    }
}
