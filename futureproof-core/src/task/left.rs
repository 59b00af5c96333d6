//! What a drain has left.

use std::error::Error;
use std::fmt;

use crate::report::Report;

/// What is left of a task manager that was not drained in time: the error of [`drain`](crate::TaskManager::drain).
///
/// The tasks that never started are here, with their arguments, and nowhere else: no iterator yields them.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use std::time::Duration;
///
/// half::scope(|tasks| {
///     for n in [2, 4, 6] {
///         tasks.submit(n);
///     }
///     match tasks.drain(Duration::from_secs(10)) {
///         Ok(report) => println!("{report}"),
///         Err(left) => {
///             println!("{left}; until then {}", left.report());
///             println!("running {:?}, not tried again {:?}", left.running(), left.given_up());
///             for (index, (n,)) in left.into_tasks() {
///                 println!("task {index}, half({n}), is for another day");
///             }
///         }
///     }
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Left<Args> {
    tasks: Vec<(usize, Args)>,
    running: Box<[usize]>,
    given_up: Box<[usize]>,
    report: Report,
}

impl<Args> Left<Args> {
    pub(super) fn new(
        tasks: Vec<(usize, Args)>,
        running: Vec<usize>,
        given_up: Vec<usize>,
        report: Report,
    ) -> Self {
        Self {
            tasks,
            running: running.into(),
            given_up: given_up.into(),
            report,
        }
    }

    /// Returns the tasks that never started: the index of each, and its arguments.
    #[must_use]
    pub fn tasks(&self) -> &[(usize, Args)] {
        &self.tasks
    }

    /// Takes out the tasks that never started.
    #[must_use]
    pub fn into_tasks(self) -> Vec<(usize, Args)> {
        self.tasks
    }

    /// Returns the indices of the tasks that were still running. They can ask [`is_stopping`](crate::is_stopping), and the scope
    /// waits for them.
    #[must_use]
    pub fn running(&self) -> &[usize] {
        &self.running
    }

    /// Returns the indices of the tasks that waited for another attempt. They end with their last error.
    #[must_use]
    pub fn given_up(&self) -> &[usize] {
        &self.given_up
    }

    /// Returns what had been done by then.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl<Args> fmt::Debug for Left<Args> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indices: Vec<_> = self.tasks.iter().map(|(index, _)| index).collect();
        f.debug_struct("Left")
            .field("tasks", &indices)
            .field("running", &self.running)
            .field("given_up", &self.given_up)
            .field("report", &self.report)
            .finish()
    }
}

impl<Args> fmt::Display for Left<Args> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tasks, running) = (self.tasks.len(), self.running.len());
        write!(
            f,
            "time is over: {tasks} tasks have not started, {running} are running"
        )?;
        match self.given_up.len() {
            0 => Ok(()),
            given_up => write!(f, ", {given_up} waited for another attempt"),
        }
    }
}

impl<Args> Error for Left<Args> {}
