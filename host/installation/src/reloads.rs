//! Follows the saves of the rules: says what each one did, and has a plan made for new rules.

use crate::notice;
use crate::planner::Planner;
use crate::rules::RulesInForce;
use crate::stop::Stop;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How often the rules in force are compared with those before.
const LOOKED_EVERY: Duration = Duration::from_millis(500);

/// Starts the thread, which ends when it is told to stop.
pub fn start(
    rules: Arc<dyn RulesInForce>,
    planner: Planner,
    stop: Arc<Stop>,
) -> std::io::Result<()> {
    thread::Builder::new()
        .name("reloads".into())
        .spawn(move || follow(&*rules, &planner, &stop))?;
    Ok(())
}

fn follow(rules: &dyn RulesInForce, planner: &Planner, stop: &Stop) {
    let (mut count, mut findings) = (rules.generation_count(), rules.findings());
    while stop.wait(LOOKED_EVERY) {
        let (count_now, findings_now) = (rules.generation_count(), rules.findings());
        if count_now != count {
            let rules = rules.current();
            tracing::info!("rules reloaded: generation {} is in force", rules.generation());
            planner.plan(rules);
        }
        if findings_now != findings {
            findings_now.iter().for_each(notice::warn);
            tracing::info!(
                "{}",
                if findings_now.is_empty() {
                    "the rules are well again"
                } else {
                    "the rules were not taken; the last good ones stay in force"
                }
            );
        }
        (count, findings) = (count_now, findings_now);
    }
}
