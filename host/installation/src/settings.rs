//! The settings of one command, resolved once: flags, then environment, then file, then default.

use crate::code;
use crate::env_var;
use crate::reach::{self, ReachSettings};
use crate::reading::{Reading, SettingsFile, SourceSection, TagSection};
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::field::Field;
use domain::hint::Hint;
use domain::period::Day;
use domain::schedule::Schedule;
use domain::tag::{TagRule, TagSchema};
use rule_engine::options::UnknownTeams;
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use toml::Spanned;

pub const FILE: &str = "apportion.toml";
pub const LEDGER: &str = "apportion.db";
pub const RULES: &str = "rules";
pub const LISTEN: &str = "127.0.0.1:8080";
/// The powers that a plugin can be granted.
pub const POWERS: [&str; 7] = [
    "table-decode",
    "file",
    "http",
    "kubernetes",
    "aws-cost-explorer",
    "aws-organizations",
    "object-store",
];
pub const PLUGIN_SECONDS_MAX: u64 = 3_600;
/// What a 32-bit guest can address.
pub const PLUGIN_MIB_MAX: u64 = 4_096;
pub const COMPILE_SECONDS_MAX: u64 = 3_600;
/// A process needs some of it before it compiles anything.
pub const COMPILE_MIB: RangeInclusive<u64> = 2_048..=65_536;
pub const THREADS_MAX: u64 = 256;
pub const SOURCES_AT_ONCE: u64 = 4;
pub const SOURCES_AT_ONCE_MAX: u64 = 64;
/// What was restated later than this is collected with `run --from`.
pub const RESTATE_DAYS_MAX: u32 = 400;
pub const RULE_OPERATIONS_MAX: u64 = 100_000_000;

/// Sections of a source that `config show` repeats as they are written.
const WRITTEN_ONLY: [&str; 5] = ["http", "secrets", "store", "kubernetes", "aws"];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Flag(&'static str),
    Env(&'static str),
    File { file: String, line: u32 },
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => f.write_str(flag),
            Origin::Env(variable) => write!(f, "env {variable}"),
            Origin::File { file, line } => write!(f, "{file}:{line}"),
            Origin::Default => f.write_str("default"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    pub value: T,
    pub origin: Origin,
}

#[derive(Clone, Debug)]
pub struct SourceSettings {
    pub name: String,
    /// A bundled plugin's name, or the path of a component.
    pub plugin: Setting<String>,
    pub paths: Setting<Vec<String>>,
    pub delimiter: Setting<u8>,
    pub grants: Setting<Vec<String>>,
    /// The source whose bill its charges are estimates of.
    pub accrues_for: Setting<Option<String>>,
    /// The first day that is wanted, of a source without paths.
    pub since: Setting<Option<Day>>,
    /// Days before those that are new, which are collected again; otherwise as many as the plugin says.
    pub restate_days: Setting<Option<u32>>,
    /// When `serve` collects it.
    pub schedule: Setting<Option<Schedule>>,
    pub reach: ReachSettings,
    /// For the plugin, as JSON.
    pub config: Setting<serde_json::Value>,
}

/// Whose plugins may be installed.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Public keys of minisign, by the name of who has them.
    pub keys: Vec<(String, String)>,
    pub require_signature: bool,
}

/// Where the parts of a tag rule come from.
#[derive(Clone, Debug)]
pub struct TagOrigins {
    pub synonyms: Origin,
    pub fold_values: Origin,
    pub values: Origin,
}

#[derive(Clone, Debug)]
pub struct Limits {
    pub threads: Setting<usize>,
    /// Sources that are collected at one time.
    pub sources_at_once: Setting<usize>,
    pub plugin_seconds: Setting<u64>,
    pub plugin_memory_mib: Setting<u64>,
    /// Of compiling plugins that are not bundled.
    pub compile_seconds: Setting<u64>,
    pub compile_memory_mib: Setting<u64>,
    pub rule_operations: Setting<u64>,
    /// The powers that sources may grant.
    pub powers: Setting<Vec<String>>,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// What relative paths are relative to: the folder of the file.
    pub root: PathBuf,
    pub ledger: Setting<PathBuf>,
    pub rules: Setting<PathBuf>,
    pub dimensions: Setting<Vec<Field>>,
    pub unknown_teams: Setting<UnknownTeams>,
    /// Whether rules must be approved before they post.
    pub require_approval: Setting<bool>,
    pub tags: TagSchema,
    /// One for each rule of the schema.
    pub tag_origins: Vec<TagOrigins>,
    pub sources: Vec<SourceSettings>,
    /// Components of allocator plugins, by the name that rules call them.
    pub allocators: Vec<(String, Setting<PathBuf>)>,
    pub listen: Setting<SocketAddr>,
    pub limits: Limits,
    pub trust: Trust,
    /// The settings file as it stands, and what messages call it.
    text: String,
    file: String,
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

impl Settings {
    pub fn load(place: &SettingsPlace, need: Need) -> Result<Settings, Vec<Diagnostic>> {
        let told =
            place.config.clone().or_else(|| env_var::value(env_var::CONFIG).map(PathBuf::from));
        let path = told.clone().unwrap_or_else(|| PathBuf::from(FILE));
        let ledger_is_told = place.ledger.is_some() || env_var::value(env_var::LEDGER).is_some();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && told.is_none()
                    && need == Need::LedgerOnly
                    && ledger_is_told =>
            {
                String::new()
            }
            Err(error) => return Err(vec![unreadable(&path, &error)]),
        };
        let root = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_path_buf();
        let shown = path.display().to_string();
        let reading = Reading { file: &shown, text: &text };
        let file = reading.parse().map_err(|finding| vec![finding])?;
        Resolver { reading, findings: Vec::new() }.resolve(place, root, file)
    }

    /// A path of the settings, seen from the working directory.
    pub fn path(&self, written: &str) -> PathBuf {
        in_root(&self.root, written)
    }

    /// What the sections say that have no value where nothing is written, by key: whom to trust, and what sources reach.
    pub fn written(&self) -> Vec<(String, Setting<serde_json::Value>)> {
        let reading = Reading { file: &self.file, text: &self.text };
        let sections: Vec<String> = self
            .sources
            .iter()
            .flat_map(|source| {
                WRITTEN_ONLY.map(|section| format!("sources.{}.{section}.", source.name))
            })
            .chain(["trust.".into()])
            .collect();
        let written = reading
            .written()
            .into_iter()
            .filter(|(key, ..)| sections.iter().any(|section| key.starts_with(section)));
        let origin = |span: Range<usize>| Origin::File {
            file: self.file.clone(),
            line: reading.line(span.start),
        };
        written.map(|(key, value, span)| (key, Setting { value, origin: origin(span) })).collect()
    }

    pub fn source(&self, name: &str) -> Option<&SourceSettings> {
        self.sources.iter().find(|source| source.name == name)
    }
}

/// A relative path is relative to the settings file's folder.
pub fn in_root(root: &Path, written: &str) -> PathBuf {
    if root == Path::new(".") { PathBuf::from(written) } else { root.join(written) }
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

struct Resolver<'a> {
    reading: Reading<'a>,
    findings: Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn resolve(
        mut self,
        place: &SettingsPlace,
        root: PathBuf,
        file: SettingsFile,
    ) -> Result<Settings, Vec<Diagnostic>> {
        let ledger = match (&place.ledger, env_var::value(env_var::LEDGER)) {
            (Some(path), _) => Setting { value: path.clone(), origin: Origin::Flag("--ledger") },
            (None, Some(path)) => {
                Setting { value: PathBuf::from(path), origin: Origin::Env(env_var::LEDGER) }
            }
            (None, None) => self.path(&root, file.ledger.as_ref(), LEDGER),
        };
        let rules = self.path(&root, file.rules.as_ref(), RULES);
        let dimensions = self.dimensions(file.dimensions.as_ref());
        let unknown_teams = self.unknown_teams(file.unknown_teams.as_ref());
        let require_approval = self.switch(file.require_approval.as_ref());
        let (tags, tag_origins) = self.tags(&file);
        let sources =
            file.sources.iter().map(|(name, section)| self.source(name, section)).collect();
        self.accruals(&file);
        let allocators = file
            .allocators
            .iter()
            .map(|(name, path)| (name.clone(), self.path(&root, Some(path), "")))
            .collect();
        let listen = self.listen(file.server.listen.as_ref());
        let limits = self.limits(&file);
        let trust = Trust {
            keys: file
                .trust
                .keys
                .iter()
                .map(|(name, key)| (name.clone(), key.get_ref().clone()))
                .collect(),
            require_signature: self.switch(file.trust.require_signature.as_ref()).value,
        };
        if self.findings.is_empty() {
            Ok(Settings {
                root,
                ledger,
                rules,
                dimensions,
                unknown_teams,
                require_approval,
                tags,
                tag_origins,
                sources,
                allocators,
                listen,
                limits,
                trust,
                text: self.reading.text.to_owned(),
                file: self.reading.file.to_owned(),
            })
        } else {
            Err(self.findings)
        }
    }

    fn origin(&self, span: &Range<usize>) -> Origin {
        Origin::File { file: self.reading.file.to_owned(), line: self.reading.line(span.start) }
    }

    fn origin_of<T>(&self, written: Option<&Spanned<T>>) -> Origin {
        written.map_or(Origin::Default, |written| self.origin(&written.span()))
    }

    /// A list of texts as it is used; empty where nothing is written.
    fn list(&self, written: Option<&Spanned<Vec<Spanned<String>>>>) -> Setting<Vec<String>> {
        Setting {
            value: texts(written).iter().map(|text| text.get_ref().clone()).collect(),
            origin: self.origin_of(written),
        }
    }

    fn refuse(&mut self, span: &Range<usize>, message: impl Into<String>, hint: impl Into<Hint>) {
        let finding = self.reading.finding(domain::code::CONFIG_VALUE, span, message).hint(hint);
        self.findings.push(finding);
    }

    fn path(
        &mut self,
        root: &Path,
        written: Option<&Spanned<String>>,
        default: &str,
    ) -> Setting<PathBuf> {
        match written {
            None => Setting { value: in_root(root, default), origin: Origin::Default },
            Some(written) => {
                if written.get_ref().is_empty() {
                    self.refuse(
                        &written.span(),
                        "a path cannot be empty",
                        format!("write a path such as \"{default}\""),
                    );
                }
                Setting {
                    value: in_root(root, written.get_ref()),
                    origin: self.origin(&written.span()),
                }
            }
        }
    }

    fn dimensions(
        &mut self,
        written: Option<&Spanned<Vec<Spanned<String>>>>,
    ) -> Setting<Vec<Field>> {
        let Some(written) = written else {
            return Setting { value: Field::default_dimensions(), origin: Origin::Default };
        };
        let mut fields = Vec::new();
        for name in written.get_ref() {
            match Field::by_name(name.get_ref()) {
                Some(field) if fields.contains(&field) => self.refuse(
                    &name.span(),
                    format!("'{}' stands here twice", name.get_ref()),
                    "write it once",
                ),
                Some(field) => fields.push(field),
                None => {
                    let known = || Field::all().map(Field::name);
                    let hint = match did_you_mean(name.get_ref(), known()) {
                        Some(meant) => format!("Did you mean `{meant}`?"),
                        None => format!(
                            "the dimensions are: {}",
                            known().collect::<Vec<_>>().join(", ")
                        ),
                    };
                    self.refuse(
                        &name.span(),
                        format!("there is no dimension '{}'", name.get_ref()),
                        hint,
                    );
                }
            }
        }
        Setting { value: fields, origin: self.origin(&written.span()) }
    }

    fn unknown_teams(&mut self, written: Option<&Spanned<String>>) -> Setting<UnknownTeams> {
        let Some(written) = written else {
            return Setting { value: UnknownTeams::Allow, origin: Origin::Default };
        };
        let value = UnknownTeams::by_name(written.get_ref()).unwrap_or_else(|| {
            let message = format!("'{}' is not a way to treat unknown teams", written.get_ref());
            self.refuse(&written.span(), message, "write \"allow\", \"warn\" or \"refuse\"");
            UnknownTeams::Allow
        });
        Setting { value, origin: self.origin(&written.span()) }
    }

    /// Off unless it is written.
    fn switch(&self, written: Option<&Spanned<bool>>) -> Setting<bool> {
        Setting { value: written.is_some_and(|on| *on.get_ref()), origin: self.origin_of(written) }
    }

    fn tags(&mut self, file: &SettingsFile) -> (TagSchema, Vec<TagOrigins>) {
        let mut owners: Vec<(String, String)> = Vec::new();
        let (mut rules, mut origins) = (Vec::new(), Vec::new());
        for (name, section) in &file.tags {
            let section = section.get_ref();
            rules.push(self.tag(name, section, &mut owners));
            origins.push(TagOrigins {
                synonyms: self.origin_of(section.synonyms.as_ref()),
                fold_values: self.origin_of(section.fold_values.as_ref()),
                values: self.origin_of(section.values.as_ref()),
            });
        }
        (TagSchema { rules }, origins)
    }

    /// One tag; `owners` says which keys already mean which tag.
    fn tag(
        &mut self,
        name: &str,
        section: &TagSection,
        owners: &mut Vec<(String, String)>,
    ) -> TagRule {
        owners.push((name.to_lowercase(), name.to_owned()));
        for synonym in texts(section.synonyms.as_ref()) {
            let key = synonym.get_ref().to_lowercase();
            match owners.iter().find(|(owned, owner)| *owned == key && owner != name) {
                Some((_, owner)) => {
                    let message = format!(
                        "'{}' would mean both the tag '{owner}' and the tag '{name}'",
                        synonym.get_ref()
                    );
                    self.refuse(&synonym.span(), message, "give each key to one tag");
                }
                None => owners.push((key, name.to_owned())),
            }
        }
        TagRule {
            name: name.to_owned(),
            synonyms: self.list(section.synonyms.as_ref()).value,
            fold_values: section.fold_values.as_ref().is_some_and(|fold| *fold.get_ref()),
            value_synonyms: section
                .values
                .as_ref()
                .map(|values| values.get_ref().clone())
                .unwrap_or_default(),
        }
    }

    fn source(&mut self, name: &str, section: &Spanned<SourceSection>) -> SourceSettings {
        let span = section.span();
        let section = section.get_ref();
        if name.is_empty()
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        {
            let message = format!(
                "'{name}' cannot be the name of a source: it becomes the name of an account"
            );
            self.refuse(&span, message, "use letters, digits, '-', '_' and '.' only");
        }
        let reads_paths = texts(section.grants.as_ref())
            .iter()
            .any(|grant| ["table-decode", "file"].contains(&grant.get_ref().as_str()));
        let paths = section.paths.as_ref();
        if paths.map_or(reads_paths, |paths| paths.get_ref().is_empty()) {
            let span = paths.map_or(span, Spanned::span);
            self.refuse(
                &span,
                format!("the source '{name}' has no paths"),
                "write `paths = [\"bills/*.csv\"]`",
            );
        }
        for grant in texts(section.grants.as_ref()) {
            self.known_power(grant);
        }
        for flaw in reach::flaws(section) {
            self.refuse(&flaw.span, flaw.message, flaw.hint);
        }
        let (since, restate_days) = (self.since(name, section), self.restate_days(name, section));
        let config = section
            .config
            .as_ref()
            .map_or_else(toml::Table::new, |config| config.get_ref().clone());
        SourceSettings {
            name: name.to_owned(),
            plugin: Setting {
                value: section.plugin.get_ref().clone(),
                origin: self.origin(&section.plugin.span()),
            },
            paths: self.list(section.paths.as_ref()),
            delimiter: self.delimiter(section.delimiter.as_ref()),
            grants: self.list(section.grants.as_ref()),
            accrues_for: Setting {
                value: section.accrues_for.as_ref().map(|bill| bill.get_ref().clone()),
                origin: self.origin_of(section.accrues_for.as_ref()),
            },
            since,
            restate_days,
            schedule: self.schedule(section.schedule.as_ref()),
            reach: ReachSettings::of(section),
            config: Setting {
                value: json(&toml::Value::Table(config)),
                origin: self.origin_of(section.config.as_ref()),
            },
        }
    }

    fn since(&mut self, name: &str, section: &SourceSection) -> Setting<Option<Day>> {
        let Some(written) = &section.since else {
            return Setting { value: None, origin: Origin::Default };
        };
        self.refuse_window_of_paths(name, section, "since", &written.span());
        let value = written.get_ref().parse().ok();
        if value.is_none() {
            self.refuse(
                &written.span(),
                format!("'{}' is not a day", written.get_ref()),
                "write `since = \"2026-01-01\"`",
            );
        }
        Setting { value, origin: self.origin(&written.span()) }
    }

    fn restate_days(&mut self, name: &str, section: &SourceSection) -> Setting<Option<u32>> {
        let Some(written) = &section.restate_days else {
            return Setting { value: None, origin: Origin::Default };
        };
        self.refuse_window_of_paths(name, section, "restate_days", &written.span());
        let days = *written.get_ref();
        if days > RESTATE_DAYS_MAX {
            self.refuse(
                &written.span(),
                format!("restate_days = {days} is out of bounds"),
                format!("use 0 to {RESTATE_DAYS_MAX}"),
            );
        }
        Setting { value: Some(days), origin: self.origin(&written.span()) }
    }

    /// Files are read whole, so that a window would change nothing.
    fn refuse_window_of_paths(
        &mut self,
        name: &str,
        section: &SourceSection,
        key: &str,
        span: &Range<usize>,
    ) {
        if section.paths.is_some() {
            self.refuse(span, format!("the source '{name}' has paths, which are read whole: {key} is for sources that ask a service"), "remove it");
        }
    }

    fn schedule(&mut self, written: Option<&Spanned<String>>) -> Setting<Option<Schedule>> {
        let Some(written) = written else {
            return Setting { value: None, origin: Origin::Default };
        };
        let value = match written.get_ref().parse() {
            Ok(schedule) => Some(schedule),
            Err(error) => {
                let message = format!("'{}' is not a schedule: {error}", written.get_ref());
                self.refuse(
                    &written.span(),
                    message,
                    "write one as cron has them, in UTC: `schedule = \"15 */6 * * *\"`",
                );
                None
            }
        };
        Setting { value, origin: self.origin(&written.span()) }
    }

    /// Estimates stand in for a bill, which is another source and no estimate itself.
    fn accruals(&mut self, file: &SettingsFile) {
        for (name, section) in &file.sources {
            let Some(bill) = &section.get_ref().accrues_for else { continue };
            let problem = match file.sources.get(bill.get_ref()) {
                None => format!(
                    "there is no source '{}' that '{name}' could accrue for",
                    bill.get_ref()
                ),
                Some(_) if bill.get_ref() == name => {
                    format!("the source '{name}' cannot accrue for itself")
                }
                Some(other) if other.get_ref().accrues_for.is_some() => {
                    format!(
                        "'{name}' cannot accrue for '{}', which holds estimates too",
                        bill.get_ref()
                    )
                }
                Some(_) => continue,
            };
            let bills: Vec<&str> = file
                .sources
                .iter()
                .filter(|(_, section)| section.get_ref().accrues_for.is_none())
                .map(|(name, _)| name.as_str())
                .collect();
            self.refuse(
                &bill.span(),
                problem,
                format!("name the source of the bill; there are: {}", bills.join(", ")),
            );
        }
    }

    fn delimiter(&mut self, written: Option<&Spanned<String>>) -> Setting<u8> {
        let Some(written) = written else {
            return Setting { value: b',', origin: Origin::Default };
        };
        let value = match written.get_ref().as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => *byte,
            _ => {
                let message =
                    format!("'{}' cannot separate cells", written.get_ref().escape_default());
                self.refuse(
                    &written.span(),
                    message,
                    "write one character, such as \",\", \";\" or \"\\t\"",
                );
                b','
            }
        };
        Setting { value, origin: self.origin(&written.span()) }
    }

    fn listen(&mut self, written: Option<&Spanned<String>>) -> Setting<SocketAddr> {
        if let Some(text) = env_var::value(env_var::LISTEN) {
            let origin = Origin::Env(env_var::LISTEN);
            match text.to_str().and_then(|text| text.parse().ok()) {
                Some(value) => return Setting { value, origin },
                None => self.findings.push(
                    Diagnostic::new(
                        domain::code::CONFIG_VALUE,
                        format!(
                            "{} is '{}', not an address with a port",
                            env_var::LISTEN,
                            text.display()
                        ),
                    )
                    .hint(format!("`export {}={LISTEN}`", env_var::LISTEN)),
                ),
            }
        }
        if let Some(written) = written {
            match written.get_ref().parse() {
                Ok(value) => return Setting { value, origin: self.origin(&written.span()) },
                Err(_) => {
                    let message = format!("'{}' is not an address with a port", written.get_ref());
                    self.refuse(&written.span(), message, format!("write `listen = \"{LISTEN}\"`"));
                }
            }
        }
        Setting { value: SocketAddr::from(([127, 0, 0, 1], 8080)), origin: Origin::Default }
    }

    fn limits(&mut self, file: &SettingsFile) -> Limits {
        let limits = &file.limits;
        let (plugin, rule) =
            (plugin_host::Limits::default(), rule_engine::options::RuleLimits::default());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.limit("threads", limits.threads.as_ref(), cores as u64, 1..=THREADS_MAX);
        let at_once = self.limit(
            "sources_at_once",
            limits.sources_at_once.as_ref(),
            SOURCES_AT_ONCE,
            1..=SOURCES_AT_ONCE_MAX,
        );
        Limits {
            sources_at_once: Setting {
                value: usize::try_from(at_once.value).unwrap_or(1),
                origin: at_once.origin,
            },
            threads: Setting {
                value: usize::try_from(threads.value).unwrap_or(cores),
                origin: threads.origin,
            },
            plugin_seconds: self.limit(
                "plugin_seconds",
                limits.plugin_seconds.as_ref(),
                plugin.call.as_secs(),
                1..=PLUGIN_SECONDS_MAX,
            ),
            plugin_memory_mib: self.limit(
                "plugin_memory_mib",
                limits.plugin_memory_mib.as_ref(),
                plugin.memory_bytes >> 20,
                1..=PLUGIN_MIB_MAX,
            ),
            compile_seconds: self.limit(
                "compile_seconds",
                limits.compile_seconds.as_ref(),
                plugin.compile.as_secs(),
                1..=COMPILE_SECONDS_MAX,
            ),
            compile_memory_mib: self.limit(
                "compile_memory_mib",
                limits.compile_memory_mib.as_ref(),
                plugin.compile_bytes >> 20,
                COMPILE_MIB,
            ),
            rule_operations: self.limit(
                "rule_operations",
                limits.rule_operations.as_ref(),
                rule.operations,
                1..=RULE_OPERATIONS_MAX,
            ),
            powers: self.powers(limits.powers.as_ref()),
        }
    }

    /// The most that sources may grant: all there is, unless somebody says less.
    fn powers(&mut self, written: Option<&Spanned<Vec<Spanned<String>>>>) -> Setting<Vec<String>> {
        for power in texts(written) {
            self.known_power(power);
        }
        if let Some(text) = env_var::value(env_var::POWERS) {
            let text = text.to_string_lossy();
            let value: Vec<String> = text
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect();
            for name in value.iter().filter(|name| !POWERS.contains(&name.as_str())) {
                let message =
                    format!("{} names '{name}', and there is no such power", env_var::POWERS);
                self.findings.push(
                    Diagnostic::new(domain::code::CONFIG_VALUE, message)
                        .hint(format!("the powers are: {}", POWERS.join(", "))),
                );
            }
            return Setting { value, origin: Origin::Env(env_var::POWERS) };
        }
        match written {
            Some(_) => self.list(written),
            None => Setting { value: POWERS.map(str::to_owned).into(), origin: Origin::Default },
        }
    }

    fn known_power(&mut self, power: &Spanned<String>) {
        if POWERS.contains(&power.get_ref().as_str()) {
            return;
        }
        let hint = match did_you_mean(power.get_ref(), POWERS) {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => format!("the powers are: {}", POWERS.join(", ")),
        };
        self.refuse(
            &power.span(),
            format!("there is no power '{}' that could be granted", power.get_ref()),
            hint,
        );
    }

    fn limit(
        &mut self,
        name: &str,
        written: Option<&Spanned<u64>>,
        default: u64,
        bounds: RangeInclusive<u64>,
    ) -> Setting<u64> {
        let Some(written) = written else {
            return Setting { value: default, origin: Origin::Default };
        };
        let value = *written.get_ref();
        if !bounds.contains(&value) {
            let hint = format!("use {} to {}", bounds.start(), bounds.end());
            self.refuse(&written.span(), format!("{name} = {value} is out of bounds"), hint);
        }
        Setting { value, origin: self.origin(&written.span()) }
    }
}

fn texts(written: Option<&Spanned<Vec<Spanned<String>>>>) -> &[Spanned<String>] {
    written.map_or(&[], |list| list.get_ref())
}

/// TOML as JSON; dates become text.
fn json(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(*number)
            .map_or(serde_json::Value::Null, serde_json::Value::Number),
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(values) => values.iter().map(json).collect(),
        toml::Value::Table(members) => serde_json::Value::Object(
            members.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests;
