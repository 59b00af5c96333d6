//! Submitted tasks that wait for a permit to start.
//!
//! Tasks that share a limiter wait in one lane, in their order, so that only the first of them has a moment to wait for, and
//! tasks behind them that need no permit pass by.

use std::collections::VecDeque;

use super::super::rate::Limiter;
use super::job::Job;
use super::state::{State, Taken};
use crate::sync::{Arc, Instant};

pub(super) struct Lane {
    limiter: Arc<Limiter>,
    /// The tasks, and those that have been claimed meanwhile.
    pub(super) jobs: VecDeque<Arc<dyn Job>>,
    /// How many are still to be run.
    pub(super) live: usize,
    /// When the next permit will be due; `None`: a thread is to ask.
    pub(super) due: Option<Instant>,
}

impl Lane {
    pub(super) fn push(&mut self, job: Arc<dyn Job>) {
        if let Some(terms) = job.terms() {
            terms.at(|place| place.in_lane = true);
        }
        self.live += 1;
        self.jobs.push_back(job);
    }

    /// Would a thread find a task to run?
    pub(super) fn is_open(&self) -> bool {
        self.live > 0 && self.due.is_none()
    }
}

impl State {
    /// The lane that a task has to wait in, if there is one.
    pub(super) fn lane_of(&mut self, job: &Arc<dyn Job>) -> Option<&mut Lane> {
        let limiter = job.terms()?.limiter.as_ref()?;
        (self.lanes.iter_mut()).find(|lane| Arc::ptr_eq(&lane.limiter, limiter))
    }

    /// Puts the task into a lane if it may not start yet.
    pub(super) fn hold_back(&mut self, job: &Arc<dyn Job>) -> bool {
        let Some(limiter) = job.terms().and_then(|terms| terms.limiter.clone()) else {
            return false;
        };
        if self.lane_of(job).is_none() {
            let Err(due) = limiter.permit(Instant::now()) else {
                return false;
            };
            self.moments.ask(due);
            self.lanes.push(Lane {
                limiter,
                jobs: VecDeque::new(),
                live: 0,
                due: Some(due),
            });
        }
        if let Some(lane) = self.lane_of(job) {
            lane.push(job.clone());
        }
        true
    }

    /// Takes the next task that has been waiting for a permit and gets one now.
    pub(super) fn take_from_lane(&mut self, dead: &mut Vec<Arc<dyn Job>>) -> Option<Taken> {
        let now = Instant::now();
        let mut at = 0;
        while let Some(lane) = self.lanes.get_mut(at) {
            while lane.jobs.front().is_some_and(|job| job.is_claimed()) {
                dead.extend(lane.jobs.pop_front());
            }
            if lane.jobs.is_empty() {
                self.lanes.swap_remove(at);
                continue;
            }
            at += 1;
            if lane.due.is_some_and(|due| due > now) {
                continue;
            }
            let permit = lane.limiter.permit(now);
            lane.due = permit.err().or_else(|| lane.limiter.next(now));
            if let Some(due) = lane.due {
                self.moments.ask(due);
            }
            if permit.is_err() {
                continue;
            }
            let job = lane.jobs.pop_front()?;
            self.claim(&job);
            let seat = self.begin(&job);
            return Some(Taken { job, seat });
        }
        None
    }

    /// Lets threads ask for the permits that are due.
    pub(super) fn open_lanes(&mut self, now: Instant) {
        for lane in &mut self.lanes {
            if lane.due.is_some_and(|due| due <= now) {
                lane.due = None;
            }
        }
    }

    /// When the next permit is due. Also one that nobody waits for now: who comes next will not ask for the moment again.
    pub(super) fn first_permit(&self) -> Option<Instant> {
        self.lanes.iter().filter_map(|lane| lane.due).min()
    }
}
