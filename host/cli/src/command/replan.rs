//! A plan for every save of the rules while `serve` runs, made beside the server.
//!
//! The newest rules win: what was saved in between is skipped, and a plan that a newer save has overtaken is dropped.

use super::plan::{Wanted, make};
use super::{opening, plan_text};
use crate::settings::Settings;
use crate::ui::Ui;
use domain::diagnostic::Diagnostic;
use domain::period::Period;
use domain::port::Rules;

use pipeline::apply::short;
use pipeline::plan::Plan;
use rule_engine::set::RuleSet;
use server::PlanView;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Takes rules and shows the latest plan.
#[derive(Clone)]
pub struct Planner {
    saved: Sender<Arc<RuleSet>>,
    view: Arc<Mutex<PlanView>>,
}

impl Planner {
    /// Starts the thread, which ends with the last planner.
    pub fn start(ui: Ui, settings: Arc<Settings>) -> std::io::Result<Planner> {
        let (saved, waiting) = channel();
        let view = Arc::new(Mutex::new(PlanView::None));
        let shown = Arc::clone(&view);
        thread::Builder::new()
            .name("planner".into())
            .spawn(move || follow(ui, &settings, &waiting, &shown))?;
        Ok(Planner { saved, view })
    }

    pub fn plan(&self, rules: Arc<RuleSet>) {
        // The thread is gone only when the process ends.
        let _gone = self.saved.send(rules);
    }

    pub fn view(&self) -> PlanView {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn follow(ui: Ui, settings: &Settings, saved: &Receiver<Arc<RuleSet>>, view: &Mutex<PlanView>) {
    let show = |shown| *view.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    let mut next = saved.recv().ok();
    while let Some(rules) = next {
        let rules = saved.try_iter().last().unwrap_or(rules);
        let generation = rules.generation().to_owned();
        show(PlanView::Making { generation: generation.clone() });
        let made = plan(settings, &rules);
        next = saved.try_recv().ok();
        if next.is_some() {
            continue;
        }
        match made {
            Ok(plan) => {
                let summary = plan_text::summary(&plan);
                show(PlanView::Made(Arc::new(plan)));
                ui.note(&format!(
                    "plan for rules {}: {summary}; all of it: GET /api/v1/plan, `apportion plan`",
                    short(&generation)
                ));
            }
            Err(finding) => {
                ui.warning(&finding);
                ui.note(&format!("there is no plan for rules {}", short(&generation)));
                show(PlanView::Failed { generation, finding });
            }
        }
        next = saved.recv().ok();
    }
}

fn plan(settings: &Settings, rules: &RuleSet) -> Result<Plan, Diagnostic> {
    let mut scratch = opening::reader(settings)?.scratch(&mut |_, _| {})?;
    make(settings, rules, &mut scratch, Wanted { period: Period::all(), as_of: None }, &mut |_| {})
}
