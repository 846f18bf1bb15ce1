//! `cargo xtask test`: runs the stages with their requirements, order and concurrency.

mod report;
mod selection;
mod stages;

use crate::{
    build::{self, Mode, part::Part},
    failure::Failure,
    setup::{self, Tools},
    step::{Steps, now, say},
    stop,
};
use report::Report;
use selection::Selection;
use stages::{PLAN, Stage};
use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

pub use stages::{PROOFS_AT_ONCE, SIMULATION, TESTS_REMEDY};

/// Runs the selected stages, or all.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    if words == ["--list"] {
        print!("{}", stages::list());
        return Ok(());
    }
    let selection = Selection::read(words)?;
    let session = Session::open(&selection)?;
    let outcome = session.run_all(&selection);
    session.report.close();
    outcome?;
    session.expect_some_tests()?;
    say("\nall good");
    Ok(())
}

/// One run of the selected stages.
struct Session {
    tools: Option<Tools>,
    chromium: Option<PathBuf>,
    mode: Mode,
    /// Filter: only tests with this text in their names run.
    filter: Option<String>,
    /// Number of tests run so far, counted only with a filter.
    ran: AtomicUsize,
    /// Held during a build: two stages may need the same part.
    building: Mutex<()>,
    report: Report,
}

impl Session {
    /// Installs the tools that the stages need.
    fn open(selection: &Selection) -> Result<Self, Failure> {
        let has = |name: &str| selection.stages.iter().any(|stage| stage.name == name);
        setup::components()?;
        Ok(Self {
            tools: selection.stages.iter().any(|stage| !stage.parts.is_empty()).then(setup::tools).transpose()?,
            chromium: has("browser").then(setup::browser).transpose()?,
            mode: selection.mode,
            filter: selection.filter.clone(),
            ran: AtomicUsize::new(0),
            building: Mutex::new(()),
            report: Report::open(selection.is_everything()),
        })
    }

    /// Runs the rounds of the plan sequentially, and the lanes of a round concurrently.
    fn run_all(&self, selection: &Selection) -> Result<(), Failure> {
        for round in PLAN {
            let chosen = |lane: &&[&str]| {
                let stages = lane.iter().filter_map(|name| selection.stages.iter().find(|stage| stage.name == *name));
                stages.copied().collect::<Vec<&Stage>>()
            };
            let lanes: Vec<Vec<&Stage>> = round.iter().map(chosen).filter(|lane| !lane.is_empty()).collect();
            let steps = if lanes.len() > 1 { Steps::Concurrent } else { Steps::Sequential };
            thread::scope(|scope| {
                let run = |lane: Vec<&'static Stage>| scope.spawn(move || self.run_lane(&lane, steps));
                let running: Vec<_> = lanes.into_iter().map(run).collect();
                let failed = || Failure::new("test", "a lane of stages panicked", "see the message above");
                let outcomes: Vec<_> =
                    running.into_iter().map(|lane| lane.join().unwrap_or_else(|_| Err(failed()))).collect();
                // Report the original failure before lanes that it stopped.
                let mut failures: Vec<Failure> = outcomes.into_iter().filter_map(Result::err).collect();
                failures.sort_by_key(|failure| failure.is_stop);
                failures.into_iter().next().map_or(Ok(()), Err)
            })?;
        }
        Ok(())
    }

    fn run_lane(&self, lane: &[&Stage], steps: Steps) -> Result<(), Failure> {
        for stage in lane {
            let begin = now();
            let outcome = self.build(stage.parts, steps).and_then(|()| (stage.run)(self, steps));
            self.report.note(stage, begin.elapsed(), outcome.is_ok());
            if outcome.is_err() {
                stop::request();
            }
            outcome?;
        }
        Ok(())
    }

    fn build(&self, parts: &[Part], steps: Steps) -> Result<(), Failure> {
        let Some(tools) = self.tools.as_ref().filter(|_| !parts.is_empty()) else { return Ok(()) };
        let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        build::parts(parts, tools, self.mode, steps).map(drop)
    }

    /// Fails if no test matches the filter.
    fn expect_some_tests(&self) -> Result<(), Failure> {
        match &self.filter {
            Some(filter) if self.ran.load(Ordering::Relaxed) == 0 => {
                let why = format!("no test of these stages has \"{filter}\" in its name");
                Err(Failure::new("choose tests", why, "see the names in the sources, and the stages with --list"))
            }
            _ => Ok(()),
        }
    }
}
