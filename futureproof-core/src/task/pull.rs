//! The side of a board that pool threads see: pulling the inputs of `map`.

use super::board::{Board, Crew, End, Guard};
use super::call::{Broken, drop_each, drop_quietly};
use super::desk::Worker;
use super::queue::{Input, Queued, Spent};
use super::state::After;
use super::work::Handed;
use crate::sync::Ordering;
use crate::unwind;

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    /// Pulls one item, passes the input on, and runs the item.
    pub(super) fn pull_and_run(
        &self,
        number: u64,
        mut input: Input<'env, A>,
        worker: &mut Worker<A, End<K, T, E>>,
        crew: &dyn Crew,
    ) -> Handed<'_, 'env, A, K, T, E> {
        let pulled = unwind::catch(|| input.pull());
        let mut state = self.state.lock();
        match pulled {
            Ok(Some(args)) => match state.queue.bring_back(number, input) {
                Ok(order) if !state.has_permit() => {
                    let index = state.counts.accepted.get();
                    state.counts.accepted.add(1);
                    state.later.park(Queued { index, order, args });
                    state.pause(worker);
                    let after = After {
                        alarm: state.later.alarm(),
                        ..After::default()
                    };
                    (state, after)
                }
                Ok(order) => {
                    let index = state.begin(worker, order);
                    self.announce_work(state, crew);
                    self.run(Queued { index, order, args }, None, worker, crew)
                }
                // Stopped meanwhile: the item was never accepted, like those that were not pulled.
                Err(input) => {
                    let (state, after) = self.step_back(state, worker, args);
                    drop(state);
                    drop_quietly(input);
                    (self.state.lock(), after)
                }
            },
            Ok(None) => {
                state.queue.close(number);
                self.step_back(state, worker, input)
            }
            Err(payload) => {
                // The iterator's panic takes the place of the item it should have given.
                let Some(order) = state.queue.close(number) else {
                    let (state, after) = self.step_back(state, worker, input);
                    drop(state);
                    unwind::discard(payload);
                    return (self.state.lock(), after);
                };
                let index = state.begin(worker, order);
                drop(state);
                drop_quietly(input);
                worker.count(true);
                self.fail(self.inner(index, order, Broken::panicked(payload)), worker)
            }
        }
    }

    /// Counts out a worker that pulled nothing; drops what is left over.
    fn step_back<'a, X>(
        &'a self,
        mut state: Guard<'a, 'env, A, K, T, E>,
        worker: &mut Worker<A, End<K, T, E>>,
        rest: X,
    ) -> Handed<'a, 'env, A, K, T, E> {
        state.pause(worker);
        let after = After {
            news: state.has_news(false),
            ..After::default()
        };
        drop(state);
        drop_quietly(rest);
        (self.state.lock(), after)
    }

    /// Pulls up to `most` items, passes the input on, and runs the items.
    ///
    /// Until then they lie on the desk, from where a thread that stands guard takes them if the input blocks. Another item is
    /// asked for only while one does: it ends its guard by saying so, and then looks at the desks; here it is asked for after
    /// an item was laid there. So either it finds the item, or this thread sees that it has gone.
    pub(super) fn pull_several(
        &self,
        number: u64,
        mut input: Input<'env, A>,
        most: usize,
        worker: &mut Worker<A, End<K, T, E>>,
        crew: &dyn Crew,
    ) -> Handed<'_, 'env, A, K, T, E> {
        worker.desk.lock().source = number;
        let mut rest = None;
        for _ in 0..most {
            match unwind::catch(|| input.pull()) {
                Ok(Some(args)) => worker.desk.lock().pulled.push_back(args),
                // What is left of it gives its end, or its panic, when it is its turn.
                end => {
                    rest = Some(std::mem::replace(&mut input, Spent::input(end.err())));
                    break;
                }
            }
            if !self.guarded.load(Ordering::Relaxed) {
                break;
            }
        }
        let mut state = self.state.lock();
        match state.accept_pulled(worker, number, input) {
            Ok(task) => match task {
                Some(task) => {
                    self.announce_work(state, crew);
                    drop_quietly(rest);
                    self.run(task, None, worker, crew)
                }
                None => self.step_back(state, worker, rest),
            },
            // Stopped meanwhile: what was pulled was never accepted.
            Err((input, pulled)) => {
                drop_quietly(rest);
                drop_each(pulled);
                self.step_back(state, worker, input)
            }
        }
    }
}
