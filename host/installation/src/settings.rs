//! The settings of an installation, resolved once: flags, then environment, then file, then
//! default.
//!
//! One struct a section says all of a setting: its type with the values it takes, its default, and
//! its description. What reads the file, the schema for editors and the list of `config show`
//! follow from it.

pub mod aws;
pub mod change;
mod details;
pub mod http;
pub mod kubernetes;
pub mod limits;
pub mod log;
pub mod secret;
pub(crate) mod section;
pub mod server;
pub mod setting;
pub mod source;
pub mod store;
mod tags;
mod text_form;
mod trust;
mod userinfo;
pub mod value;
mod word;

use crate::code;
use crate::env_var;
use crate::file::in_root;
use crate::reading::Reading;
use domain::charge::KeptDetails;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::hint::Hint;
use domain::tag::{TagSchema, folded_value};
use limits::Limits;
use log::Log;
use reports::costs::spelling::Spelling;
use rule_engine::options::{FailingCases, UnknownTeams};
use section::{Section, section};
use serde_json::Value;
use server::{LISTEN, Server};
use setting::{Origin, Setting};
use source::{SourceCheck, SourceSettings};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use tags::TagSection;
use toml::Spanned;
use trust::Trust;
use value::{POWERS, Powers};

pub const FILE: &str = "apportion.toml";
pub const LEDGER: &str = "apportion.db";
pub const RULES: &str = "rules";

/// What spreadsheets, databases and people write for nothing.
const ABSENT_VALUES: [&str; 16] = [
    "#N/A",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "N/A",
    "n.a.",
    "NaN",
    "null",
    "nil",
    "none",
    "undefined",
    "-",
    "--",
];

section! {
    /// The whole settings file.
    #[schemars(title = "Settings of Apportion (apportion.toml)")]
    pub struct Settings {
        /// The ledger: one SQLite file, made by the first run. Relative to the settings file.
        pub ledger: Setting<PathBuf> = Setting::default_of(PathBuf::from(LEDGER)),
        /// The folder of the rules; lookup tables lie in its subfolder tables/. Relative to the
        /// settings file.
        pub rules: Setting<PathBuf> = Setting::default_of(PathBuf::from(RULES)),
        /// The fields that are kept of each charge: rules can read, and reports can group by, these and the
        /// tags.
        pub dimensions: Setting<Vec<Field>> = Setting::default_of(Field::default_dimensions()),
        /// The details that are kept of each charge, where bills tell them: list and contracted
        /// unit prices and costs, pricing and consumed quantities, the invoice, and the hour.
        /// Charges that were collected without them have them as unknown.
        pub details: Setting<KeptDetails> = Setting::default_of(KeptDetails::default()),
        /// Costs whose rule names a team that is not in tables/teams.csv: the team bears them, with
        /// or without a warning, or they are in suspense.
        pub unknown_teams: Setting<UnknownTeams> = Setting::default_of(UnknownTeams::Allow),
        /// Rules whose cases fail: `run`, `plan`, `apply` and `serve` refuse all rules of the
        /// folder, or use them with a warning. Rules without cases are used; `rule test` names
        /// them.
        pub failing_cases: Setting<FailingCases> = Setting::default_of(FailingCases::Refuse),
        /// Whether rules must be approved with `apportion rule approve` before `run` and `apply`
        /// post with them; plans can be made without.
        pub require_approval: Setting<bool> = Setting::default_of(false),
        /// Values that mean nothing, in any case: in cells of lookup tables, in the tags of the
        /// schema, and in team, cost_center, environment and application.
        pub absent_values: Setting<Vec<String>> =
            Setting::default_of(ABSENT_VALUES.map(str::to_owned).to_vec()),
        /// The tag schema: one section for each tag that has several spellings.
        #[schemars(with = "BTreeMap<String, TagSection>")]
        pub tags: BTreeMap<String, Spanned<TagSection>> = BTreeMap::new(),
        /// Where charges come from.
        #[schemars(with = "BTreeMap<String, SourceSettings>")]
        #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9._-]+$" }))]
        pub sources: BTreeMap<String, Spanned<SourceSettings>> = BTreeMap::new(),
        /// Allocator plugins that rules can ask, by name: paths of .wasm files, relative to the
        /// settings file.
        pub allocators: BTreeMap<String, Setting<PathBuf>> = BTreeMap::new(),
        pub server: Server = Server::default(),
        pub limits: Limits = Limits::default(),
        pub log: Log = Log::default(),
    }
    unlisted {
        pub trust: Trust,
        /// Relative paths start here: the folder of the file.
        #[serde(skip)]
        pub root: PathBuf,
        /// The tag schema of all sections of tags together.
        #[serde(skip)]
        pub tag_schema: TagSchema,
        /// The settings file as it stands.
        #[serde(skip)]
        pub text: String,
        /// The name of the settings file in messages.
        #[serde(skip)]
        pub file: String,
    }
}

/// Where the settings are, as a command line says it.
#[derive(Clone, Debug, Default)]
pub struct SettingsPlace {
    pub config: Option<PathBuf>,
    pub ledger: Option<PathBuf>,
}

/// Whether a command can do without a settings file, if it is told the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    File,
    LedgerOnly,
}

/// The faults of settings that cannot be used, and the form of log to tell them in.
#[derive(Clone, Debug)]
pub struct RefusedSettings {
    pub findings: Vec<Diagnostic>,
    pub log: Log,
}

/// A setting by its key, as `config show` lists it.
#[derive(Clone, Debug)]
pub struct SettingLine {
    pub key: String,
    pub value: Value,
    pub origin: Origin,
}

impl Settings {
    /// The words that charges have by these settings.
    pub fn spelling(&self) -> Spelling<'_> {
        Spelling { schema: &self.tag_schema, dimensions: &self.dimensions.value }
    }

    pub fn load(place: &SettingsPlace, need: Need) -> Result<Settings, RefusedSettings> {
        let named =
            place.config.clone().or_else(|| env_var::value(env_var::CONFIG).map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| PathBuf::from(FILE));
        let has_ledger = place.ledger.is_some() || env_var::value(env_var::LEDGER).is_some();
        let can_lack = named.is_none() && need == Need::LedgerOnly && has_ledger;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && can_lack => String::new(),
            Err(error) => {
                let findings = vec![unreadable(&path, &error)];
                return Err(RefusedSettings { log: Log::of_environment(), findings });
            }
        };
        let root = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_path_buf();
        let shown = path.display().to_string();
        let reading = Reading::new(&shown, &text);
        let parsed = reading.parse().map_err(|finding| vec![finding]);
        parsed
            .and_then(|settings: Settings| settings.resolve(place, root, &reading))
            .map_err(|findings| RefusedSettings { log: Log::of_refused(&reading), findings })
    }

    /// Checks what is written, and puts flags and variables over it.
    fn resolve(
        mut self,
        place: &SettingsPlace,
        root: PathBuf,
        reading: &Reading<'_>,
    ) -> Result<Settings, Vec<Diagnostic>> {
        let mut findings = Vec::new();
        self.tag_schema = tags::schema_of(&self.tags, reading, &mut findings);
        self.tag_schema.absent =
            self.absent_values.value.iter().map(|word| folded_value(word)).collect();
        let mut check = SourceCheck { reading, findings: &mut findings };
        for (name, source) in &self.sources {
            check.source(name, source.get_ref(), &source.span());
        }
        check.accruals(&self.sources, &self.dimensions.value);
        check.former_names(&self.sources);
        self.each("", &mut |key, setting| {
            let name = key.rsplit('.').next().unwrap_or(key);
            findings.extend(setting.place(name, reading));
        });
        userinfo::check(reading, &self.sources, &mut findings);
        for (name, source) in &mut self.sources {
            source.get_mut().name.clone_from(name);
        }
        for path in
            [&mut self.ledger, &mut self.rules].into_iter().chain(self.allocators.values_mut())
        {
            path.value = in_root(&root, &path.value);
        }
        // In the order of the file.
        findings.sort_by_key(|finding| {
            finding.location.as_ref().map(|location| (location.line, location.column))
        });
        self.take_environment(place, &mut findings);
        (self.root, self.text, self.file) = (root, reading.text.into(), reading.file.into());
        if findings.is_empty() { Ok(self) } else { Err(findings) }
    }

    /// Flags win over variables, and variables over the file.
    fn take_environment(&mut self, place: &SettingsPlace, findings: &mut Vec<Diagnostic>) {
        if let Some(path) = env_var::value(env_var::LEDGER) {
            self.ledger = Setting::from(PathBuf::from(path), Origin::Env(env_var::LEDGER));
        }
        if let Some(path) = &place.ledger {
            self.ledger = Setting::from(path.clone(), Origin::Flag("--ledger"));
        }
        let mut refuse = |message: String, hint: String| {
            findings.push(Diagnostic::new(domain::code::CONFIG_VALUE, message).hint(hint));
        };
        if let Some(text) = env_var::value(env_var::LISTEN) {
            match text.to_str().and_then(|text| text.parse().ok()) {
                Some(value) => {
                    self.server.listen = Setting::from(value, Origin::Env(env_var::LISTEN));
                }
                None => refuse(
                    format!(
                        "{} is '{}', not an address with a port",
                        env_var::LISTEN,
                        text.display()
                    ),
                    format!("`export {}={LISTEN}`", env_var::LISTEN),
                ),
            }
        }
        if let Some(text) = env_var::value(env_var::POWERS) {
            let text = text.to_string_lossy();
            let names = text.split(',').map(|name| name.trim().to_owned());
            let powers: Vec<String> = names.filter(|name| !name.is_empty()).collect();
            for name in powers.iter().filter(|name| !POWERS.contains(&name.as_str())) {
                let message =
                    format!("{} names '{name}', and there is no such power", env_var::POWERS);
                refuse(message, format!("the powers are: {}", POWERS.join(", ")));
            }
            self.limits.powers = Setting::from(Powers(powers), Origin::Env(env_var::POWERS));
        }
        word::of_environment(env_var::LOG_FORMAT, &mut self.log.format, &mut refuse);
        word::of_environment(env_var::LOG_LEVEL, &mut self.log.level, &mut refuse);
    }

    /// A path of the settings, seen from the working directory.
    pub fn path(&self, written: &str) -> PathBuf {
        in_root(&self.root, Path::new(written))
    }

    pub fn sources(&self) -> impl Iterator<Item = &SourceSettings> {
        self.sources.values().map(Spanned::get_ref)
    }

    pub fn source(&self, name: &str) -> Option<&SourceSettings> {
        self.sources.get(name).map(Spanned::get_ref)
    }

    /// Every setting. Values that are no settings, such as where secrets are kept and whom to
    /// trust, are repeated as they stand in the file.
    pub fn lines(&self) -> Vec<SettingLine> {
        let mut lines: Vec<SettingLine> = Vec::new();
        self.clone().each("", &mut |key, setting| {
            let (value, origin) = (userinfo::shown(setting.shown()), setting.origin().clone());
            lines.push(SettingLine { key: key.to_owned(), value, origin });
        });
        let listed: HashSet<&str> = lines.iter().map(|line| line.key.as_str()).collect();
        let is_listed = |key: &str| {
            listed.contains(key)
                || key.match_indices('.').any(|(at, _)| listed.contains(&key[..at]))
        };
        let mut others: Vec<SettingLine> =
            self.written().into_iter().filter(|line| !is_listed(&line.key)).collect();
        others.sort_by(|a, b| a.key.cmp(&b.key));
        // The last line of each section, behind which the others of the section stand.
        let last: HashMap<&str, usize> =
            lines.iter().enumerate().map(|(at, line)| (self.section_of(&line.key), at)).collect();
        let place_of = |line: &SettingLine| {
            last.get(self.section_of(&line.key)).copied().unwrap_or(lines.len())
        };
        let places: Vec<usize> = others.iter().map(place_of).collect();
        let mut placed: Vec<(usize, SettingLine)> = lines.into_iter().enumerate().collect();
        placed.extend(places.into_iter().zip(others));
        placed.sort_by_key(|(at, _)| *at);
        placed.into_iter().map(|(_, line)| line).collect()
    }

    /// The first part of a key: its source, or its section of the file. Names of sources may hold
    /// dots.
    fn section_of<'k>(&self, key: &'k str) -> &'k str {
        let source = key.strip_prefix("sources.").and_then(|rest| {
            // The longest name first.
            let mut ends = rest.rmatch_indices('.').map(|(at, _)| at);
            ends.find(|at| self.sources.contains_key(&rest[..*at]))
        });
        match source {
            Some(length) => &key[.."sources.".len() + length],
            None => key.split('.').next().unwrap_or(key),
        }
    }

    fn written(&self) -> Vec<SettingLine> {
        let reading = Reading::new(&self.file, &self.text);
        let line = |(key, value, span): (String, Value, std::ops::Range<usize>)| SettingLine {
            key,
            value: userinfo::shown(value),
            origin: Origin::File { file: self.file.clone(), line: reading.line(span.start) },
        };
        reading.written().into_iter().map(line).collect()
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let finding = Diagnostic::new(
        code::CONFIG_UNREADABLE,
        format!("the settings file {} cannot be read: {error}", path.display()),
    );
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            finding.hint(Hint::command("init").then(" writes one; `--config PATH` names another"))
        }
        _ => finding.hint(format!("check with `ls -l {}`", path.display())),
    }
}

#[cfg(test)]
mod tests;
