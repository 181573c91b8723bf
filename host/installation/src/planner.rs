//! Makes a plan for every save of the rules while `serve` runs, and at its start for rules or
//! settings that no run has used yet.
//!
//! The newest rules win. Saves in between are skipped, and a plan that is out of date when it is
//! done is dropped.

use crate::ledger_file;
use crate::notice;
use crate::plan::{PlanScope, make};
use crate::plan_summary::plan_summary;
use crate::settings::Settings;
use domain::diagnostic::Diagnostic;
use domain::period::Period;
use domain::port::Rules;
use pipeline::apply::short;
use pipeline::plan::Plan;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The state of the plan for the rules in force.
#[derive(Clone, Debug)]
pub enum PlanView {
    /// The last run used the rules and settings of the start, and nothing was saved since.
    None,
    Making {
        generation: String,
    },
    Made(Arc<Plan>),
    Failed {
        generation: String,
        finding: Diagnostic,
    },
}

/// The place where the planner puts its latest plan.
#[derive(Clone)]
pub struct LatestPlan(Arc<Mutex<PlanView>>);

impl LatestPlan {
    pub fn none() -> LatestPlan {
        LatestPlan(Arc::new(Mutex::new(PlanView::None)))
    }

    pub fn show(&self, view: PlanView) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }

    pub fn view(&self) -> PlanView {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes rules and makes plans for them, on a thread that ends with the planner.
pub struct Planner {
    saved: Sender<Arc<dyn Rules>>,
}

impl Planner {
    pub fn start(settings: Arc<Settings>, latest: LatestPlan) -> std::io::Result<Planner> {
        let (saved, waiting) = channel();
        thread::Builder::new()
            .name("planner".into())
            .spawn(move || follow(&settings, &waiting, &latest))?;
        Ok(Planner { saved })
    }

    pub fn plan(&self, rules: Arc<dyn Rules>) {
        // The thread is gone only when the process ends.
        let _gone = self.saved.send(rules);
    }
}

fn follow(settings: &Settings, saved: &Receiver<Arc<dyn Rules>>, latest: &LatestPlan) {
    let mut next = saved.recv().ok();
    while let Some(rules) = next {
        let rules = saved.try_iter().last().unwrap_or(rules);
        let generation = rules.generation().to_owned();
        latest.show(PlanView::Making { generation: generation.clone() });
        let made = plan(settings, &*rules);
        next = saved.try_recv().ok();
        if next.is_some() {
            continue;
        }
        match made {
            Ok(plan) => {
                let summary = plan_summary(&plan);
                latest.show(PlanView::Made(Arc::new(plan)));
                tracing::info!(
                    "plan for rules {}: {summary}; all of it: GET /api/v1/plan, `apportion plan`",
                    short(&generation)
                );
            }
            Err(finding) => {
                notice::warn(&finding);
                tracing::info!("there is no plan for rules {}", short(&generation));
                latest.show(PlanView::Failed { generation, finding });
            }
        }
        next = saved.recv().ok();
    }
}

fn plan(settings: &Settings, rules: &dyn Rules) -> Result<Plan, Diagnostic> {
    let mut scratch = ledger_file::reader(settings)?.scratch(&mut |_, _| {})?;
    let scope = PlanScope { period: Period::all(), as_of: None };
    make(settings, rules, &mut scratch, scope, &mut |_| {})
}
