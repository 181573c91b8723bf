//! Follows the saves of rules and settings: says what each one did, and has a plan made for new
//! rules. At the start these are the ones that no run has used yet.

use crate::ledger_file;
use crate::notice;
use crate::planner::Planner;
use crate::rules::RulesInForce;
use crate::settings::Settings;
use crate::settings::change::SettingsChange;
use crate::stop::Stop;
use domain::diagnostic::Diagnostic;
use domain::port::Rules;
use pipeline::plan::posted_generation;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How often the rules in force are compared with those before.
const LOOKED_EVERY: Duration = Duration::from_millis(500);

/// Starts the thread, which ends when it is told to stop.
pub fn start(
    settings: Arc<Settings>,
    rules: Arc<dyn RulesInForce>,
    planner: Planner,
    stop: Arc<Stop>,
) -> std::io::Result<()> {
    thread::Builder::new().name("reloads".into()).spawn(move || {
        let mut saves = RuleSaves { count: rules.generation_count(), ..RuleSaves::default() };
        if let Ok(current) = rules.current()
            && is_unposted(&settings, &*current)
        {
            planner.plan(current);
        }
        let mut settings_saves =
            SettingsSaves { text: Some(settings.text.clone()), change: SettingsChange::None };
        loop {
            saves.look(&*rules, &planner);
            settings_saves.look(&settings);
            if !stop.wait(LOOKED_EVERY) {
                return;
            }
        }
    })?;
    Ok(())
}

/// Whether the ledger stands by other rules or settings. A ledger without a run has nothing to
/// compare with. If a ledger cannot be read, every answer of the server says so.
fn is_unposted(settings: &Settings, rules: &dyn Rules) -> bool {
    let posted = ledger_file::reader(settings).and_then(|ledger| posted_generation(&ledger));
    posted.is_ok_and(|posted| posted.is_some_and(|posted| posted != rules.generation()))
}

/// The saves of the rules that were told so far.
#[derive(Default)]
struct RuleSaves {
    count: u64,
    findings: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl RuleSaves {
    fn look(&mut self, rules: &dyn RulesInForce, planner: &Planner) {
        let (count, findings) = (rules.generation_count(), rules.findings());
        let current = rules.current();
        if let (true, Ok(rules)) = (count != self.count, &current) {
            tracing::info!("rules reloaded: generation {} is in force", rules.generation());
            planner.plan(Arc::clone(rules));
        }
        if findings != self.findings {
            findings.iter().for_each(notice::warn);
            tracing::info!(
                "{}",
                match (findings.is_empty(), current.is_ok()) {
                    (true, _) => "the rules are well again",
                    (false, true) => "the rules were not taken; the last good ones stay in force",
                    (false, false) =>
                        "no rules are in force; nothing is posted until they are mended",
                }
            );
        }
        let warnings = rules.warnings();
        if warnings != self.warnings {
            warnings.iter().for_each(notice::warn);
        }
        *self = RuleSaves { count, findings, warnings };
    }
}

/// The save of the settings file that was told last.
struct SettingsSaves {
    /// Nothing where the file could not be read.
    text: Option<String>,
    change: SettingsChange,
}

impl SettingsSaves {
    /// Says once what a save means. A text that was judged is not judged again.
    fn look(&mut self, settings: &Settings) {
        let file = &settings.file;
        let text = fs::read_to_string(file).ok();
        if file.is_empty() || text == self.text {
            return;
        }
        self.text = text;
        let change = settings.change();
        if change == self.change {
            return;
        }
        match &change {
            SettingsChange::None => tracing::info!("{file} is again as it was read"),
            SettingsChange::Saved => {
                tracing::info!("{file} was saved; `serve` takes it when it is started again");
            }
            SettingsChange::Broken(findings) => {
                findings.iter().for_each(notice::warn);
                tracing::info!("{file} was not taken; the settings of the start stay in force");
            }
        }
        self.change = change;
    }
}
