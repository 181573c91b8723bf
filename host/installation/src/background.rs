//! The threads beside a server: they follow the rules, make plans, and collect what is due.

use crate::installation::Installation;
use crate::planner::Planner;
use crate::reloads;
use crate::scheduler::Scheduler;
use crate::stop::Stop;
use domain::code;
use domain::diagnostic::Diagnostic;
use std::sync::Arc;

/// The threads of one installation, until they are stopped.
pub struct Background {
    stop: Arc<Stop>,
    scheduler: Option<Scheduler>,
}

impl Background {
    pub fn start(installation: &Installation) -> Result<Background, Diagnostic> {
        let refused = |what: &str, error: std::io::Error| {
            let message = format!("the thread that {what} cannot be started: {error}");
            Diagnostic::new(code::INTERNAL, message)
        };
        let (settings, rules) = (installation.settings(), installation.rules_in_force());
        let planner = Planner::start(Arc::clone(settings), installation.latest_plan().clone())
            .map_err(|error| refused("makes plans", error))?;
        let runs = installation.runs().clone();
        let scheduler = Scheduler::start(Arc::clone(settings), Arc::clone(rules), runs)
            .map_err(|error| refused("collects", error))?;
        let stop = Arc::new(Stop::default());
        reloads::start(Arc::clone(settings), Arc::clone(rules), planner, Arc::clone(&stop))
            .map_err(|error| refused("follows the rules", error))?;
        Ok(Background { stop, scheduler })
    }

    /// Waits for a run under way, but not for long.
    pub fn stop(self) {
        self.stop.stop();
        if let Some(scheduler) = self.scheduler {
            scheduler.stop();
        }
    }
}
