//! Who waits until a task can be accepted.

use super::Submitted;
use super::job::Job;
use super::state::State;
use crate::sync::{Arc, Instant, MutexGuard};

impl Submitted {
    /// Waits until a job can be accepted, or is not to be started any more.
    pub(super) fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        saturated: usize,
        job: &Arc<dyn Job>,
    ) -> MutexGuard<'a, State> {
        let token = job.terms().and_then(|terms| terms.token.as_ref());
        let deadline = job.terms().and_then(|terms| terms.deadline);
        if let Some(token) = token {
            state.hold(token, &self.me);
        }
        state.submitters += 1;
        while state.is_full(saturated) && !is_stopped(job) {
            state = match deadline {
                None => self.room.wait(state),
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    self.room.wait_timeout(state, left).0
                }
            };
        }
        state.submitters -= 1;
        if let Some(token) = token {
            state.release(token, &self.me);
        }
        state
    }
}

/// Has the task been told to stop? None that most tasks have could tell it.
pub(super) fn is_stopped(job: &Arc<dyn Job>) -> bool {
    job.terms().is_some() && job.is_stopped()
}
