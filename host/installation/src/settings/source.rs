//! `[sources.NAME]`: where charges come from.

use super::aws::AwsSection;
use super::http::HttpSection;
use super::kubernetes::KubernetesSection;
use super::secret::SecretSection;
use super::section::section;
use super::setting::Setting;
use super::store::StoreSection;
use super::text_form::Delimiter;
use super::value::{Count, PluginConfig, Powers, Times};
use crate::clients::secret::SecretCheck;
use crate::clients::store;
use crate::code::CONFIG_SYNTAX;
use crate::reading::Reading;
use domain::charge::KeptDetails;
use domain::code::CONFIG_VALUE;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::hint::Hint;
use domain::period::Day;
use domain::text_form::{DecimalMark, Encoding, TextForm};
use pipeline::source::{DeliveryExtent, RepeatPolicy};
use reach::toml_table;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;

/// A day that is restated later than this is collected with `run --from`.
pub const RESTATE_DAYS_MAX: u64 = 400;
/// No bill has more lines above its header.
const SKIP_LINES_MAX: u64 = 1000;

section! {
    /// A source of charges or usage.
    #[schemars(extend("required" = ["plugin"]))]
    pub struct SourceSettings {
        /// A bundled plugin's name, or the path of a .wasm file.
        pub plugin: Setting<String> = Setting::default_of(String::new()),
        /// Files, folders (*.csv, *.csv.gz, *.csv.zip and *.parquet in them, at any depth) and
        /// patterns; objects, prefixes and patterns of stores: s3://BUCKET/…, gs://BUCKET/…,
        /// az://ACCOUNT/CONTAINER/…; files of web servers: https://….
        pub paths: Setting<Vec<String>> = Setting::default_of(Vec::new()),
        /// The character that separates the cells of CSV files.
        pub delimiter: Setting<Delimiter> = Setting::default_of(Delimiter(b',')),
        /// What a delivery of files states as a whole: its billing periods, so that days which they
        /// lack are taken back, or only the days that it has.
        /// Where it is not said, a source fails if most of a period would be taken back.
        pub delivery: Setting<Option<DeliveryExtent>> = Setting::default_of(None),
        /// What is done where two files have the same charges of a day: the source fails, or both
        /// count.
        pub repeats: Setting<RepeatPolicy> = Setting::default_of(RepeatPolicy::Refuse),
        /// How the bytes of CSV files become characters: utf-8, utf-16, latin-1 or windows-1252. A
        /// byte order mark in a file decides over it.
        pub encoding: Setting<Encoding> = Setting::default_of(Encoding::Utf8),
        /// Lines of CSV files above their header.
        pub skip_lines: Setting<Count<0, SKIP_LINES_MAX>> = Setting::default_of(Count::new(0)),
        /// Whether amounts and quantities in CSV files are written as 1.234,56.
        pub decimal_comma: Setting<bool> = Setting::default_of(false),
        /// The details that are kept of its charges; otherwise those of the setting `details`.
        pub details: Setting<Option<KeptDetails>> = Setting::default_of(None),
        /// The powers that the plugin is granted.
        pub grants: Setting<Powers> = Setting::default_of(Powers::default()),
        /// The source of the bill that this source estimates. The estimates count until the bill
        /// has what they are of; then they are reversed.
        pub accrues_for: Setting<Option<String>> = Setting::default_of(None),
        /// The dimensions by which estimates and bill are matched. An estimate goes by the first
        /// one that it has, and gives way once the bill has a charge of the day with its value.
        pub accrues_by: Setting<Vec<Field>> =
            Setting::default_of(vec![Field::RESOURCE_ID, Field::SERVICE_NAME]),
        /// Days from the first charges that the bill has of a day until all other estimates of the
        /// day give way too; 0: at once.
        pub settled_after_days: Setting<Count<0, RESTATE_DAYS_MAX>> =
            Setting::default_of(Count::new(3)),
        /// Names that the source had before. What it stated under them is taken back there, as far
        /// as it states it anew.
        pub formerly: Setting<Vec<String>> = Setting::default_of(Vec::new()),
        /// The first day that is wanted, of a source without paths; otherwise the first day of the
        /// month before the first collection.
        pub since: Setting<Option<Day>> = Setting::default_of(None),
        /// Days before those that are new, which are collected again since clouds restate them;
        /// otherwise as many as the plugin says.
        pub restate_days: Setting<Option<Count<0, RESTATE_DAYS_MAX>>> = Setting::default_of(None),
        /// When `serve` collects the source, as cron has it, in UTC: minute, hour, day of the
        /// month, month, day of the week.
        pub schedule: Setting<Times> = Setting::default_of(Times::default()),
        /// The requests that the power `http` may make, and how they are made.
        pub http: Option<HttpSection> = None,
        /// How paths that are URLs are reached.
        pub store: Option<StoreSection> = None,
        /// The cluster, and the objects of it that the power `kubernetes` may list.
        pub kubernetes: Option<KubernetesSection> = None,
        /// The account that AWS is asked as, and how often it is asked.
        pub aws: Option<AwsSection> = None,
        /// The plugin's own settings; `plugin inspect` shows its schema.
        pub config: Setting<PluginConfig> = Setting::default_of(PluginConfig::default()),
    }
    unlisted {
        #[serde(skip)]
        pub name: String,
        /// Secrets by slot: where their values are kept, and where they may go.
        #[schemars(with = "BTreeMap<String, SecretSection>")]
        pub secrets: BTreeMap<String, Spanned<SecretSection>>,
    }
}

impl SourceSettings {
    /// How its text tables are written.
    pub fn text_form(&self) -> TextForm {
        TextForm {
            delimiter: self.delimiter.value.0,
            encoding: self.encoding.value,
            skip_lines: u32::try_from(self.skip_lines.value.get()).unwrap_or(u32::MAX),
            decimal_mark: match self.decimal_comma.value {
                true => DecimalMark::Comma,
                false => DecimalMark::Point,
            },
        }
    }
}

/// Checks what a type alone cannot: the parts of a source that depend on each other.
pub struct SourceCheck<'a> {
    pub reading: &'a Reading<'a>,
    pub findings: &'a mut Vec<Diagnostic>,
}

impl SourceCheck<'_> {
    /// Checks one source whose places are still bytes; `span` is the whole section.
    pub fn source(&mut self, name: &str, source: &SourceSettings, span: &Range<usize>) {
        if source.plugin.span().is_none() {
            self.findings.push(self.reading.finding(CONFIG_SYNTAX, span, "missing field `plugin`"));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(is_plain) {
            let message = format!(
                "'{name}' cannot be the name of a source: it becomes the name of an account"
            );
            self.refuse(span, message, "use letters, digits, '-', '_' and '.' only");
        }
        let written = source.paths.span();
        let reads_paths =
            source.grants.value.names().any(|power| power == "table-decode" || power == "file");
        if source.paths.value.is_empty() && (written.is_some() || reads_paths) {
            let message = format!("the source '{name}' has no paths");
            let hint = "write `paths = [\"bills/*.csv\"]`";
            self.refuse(&written.clone().unwrap_or_else(|| span.clone()), message, hint);
        }
        self.secrets(source);
        self.clients(name, source);
        // Files are read whole, so that a window would change nothing.
        let windows =
            [("since", source.since.span()), ("restate_days", source.restate_days.span())];
        for (key, span) in windows {
            if let (Some(span), true) = (span, written.is_some()) {
                let message = format!(
                    "the source '{name}' has paths, which are read whole: \
                     {key} is for sources that ask a service"
                );
                self.refuse(&span, message, "remove it");
            }
        }
    }

    fn secrets(&mut self, source: &SourceSettings) {
        let mut check = SecretCheck::new(Path::new(""));
        let http = source.http.as_ref();
        let allow = http.map(|http| http.allow.value.0.as_slice()).unwrap_or_default();
        for secret in source.secrets.values() {
            check.slot(secret, allow);
        }
        if let Some(auth) = http.and_then(|http| http.proxy_auth.as_ref()) {
            check.kept(auth);
        }
        if let Some(section) = &source.store {
            store::keys(&mut check, section);
        }
        for flaw in check.flaws {
            self.refuse(&flaw.span, flaw.message, flaw.hint);
        }
    }

    fn clients(&mut self, name: &str, source: &SourceSettings) {
        let kubernetes = source.kubernetes.as_ref();
        if let Some(cluster) = kubernetes.filter(|cluster| cluster.kubeconfig.value.is_none())
            && let Some(span) = cluster.context.span()
        {
            let message = format!(
                "{} has a context, and no kubeconfig that it could be of",
                toml_table::header(&["sources", name, "kubernetes"])
            );
            self.refuse(&span, message, "write `kubeconfig = \"/etc/apportion/kubeconfig\"` too");
        }
        if let Some(aws) = source.aws.as_ref().filter(|aws| aws.role.value.is_none())
            && let Some(span) = aws.external_id.span()
        {
            let section = toml_table::header(&["sources", name, "aws"]);
            self.refuse(
                &span,
                format!("{section} has an external_id and no role"),
                "an external id belongs to a role: add `role = \"arn:aws:iam::…\"`",
            );
        }
    }

    /// Estimates stand in for a bill, which is another source and no estimate itself.
    pub fn accruals(
        &mut self,
        sources: &BTreeMap<String, Spanned<SourceSettings>>,
        dimensions: &[Field],
    ) {
        for source in sources.values() {
            self.accrual_parts(source.get_ref(), dimensions);
        }
        let of = |name: &str| sources.get(name).map(|source| &source.get_ref().accrues_for.value);
        let named = sources.iter().filter_map(|(name, source)| {
            let accrues_for = &source.get_ref().accrues_for;
            Some((name, accrues_for.value.as_ref()?, accrues_for.span()?))
        });
        for (name, bill, span) in named {
            let problem = match of(bill) {
                None => format!("there is no source '{bill}' that '{name}' could accrue for"),
                Some(_) if bill == name => {
                    format!("the source '{name}' cannot accrue for itself")
                }
                Some(Some(_)) => {
                    format!("'{name}' cannot accrue for '{bill}', which holds estimates too")
                }
                Some(None) => continue,
            };
            let bills: Vec<&str> = sources
                .iter()
                .filter(|(_, source)| source.get_ref().accrues_for.value.is_none())
                .map(|(name, _)| name.as_str())
                .collect();
            let hint = match bills.is_empty() {
                true => "add the source of the bill, which has no `accrues_for` itself".to_owned(),
                false => format!("name the source of the bill; there are: {}", bills.join(", ")),
            };
            self.refuse(&span, problem, hint);
        }
    }

    /// What says how estimates give way needs a bill, and dimensions that are kept.
    fn accrual_parts(&mut self, source: &SourceSettings, dimensions: &[Field]) {
        let (by, settled) = (&source.accrues_by, &source.settled_after_days);
        let spans = [("accrues_by", by.span()), ("settled_after_days", settled.span())];
        for (key, span) in spans {
            if let (Some(span), None) = (span, &source.accrues_for.value) {
                let message = format!("{key} is for estimates, and this source names no bill");
                self.refuse(&span, message, "add `accrues_for = \"SOURCE\"`, or remove the line");
            }
        }
        let lost = by.value.iter().find(|field| !dimensions.contains(field));
        if let (Some(span), Some(field)) = (by.span(), lost) {
            let message = format!(
                "estimates cannot be matched by {}, which is no dimension that is kept",
                field.name()
            );
            let kept: Vec<String> = dimensions
                .iter()
                .chain(Some(field))
                .map(|field| format!("\"{}\"", field.name()))
                .collect();
            let line = format!("dimensions = [{}]", kept.join(", "));
            self.refuse(&span, message, Hint::text("keep it: ").then(Hint::setting(line)));
        }
    }

    /// A former name is a name that no source has now, and that one source had.
    pub fn former_names(&mut self, sources: &BTreeMap<String, Spanned<SourceSettings>>) {
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, source) in sources {
            let formerly = &source.get_ref().formerly;
            let Some(span) = formerly.span() else { continue };
            for former in &formerly.value {
                let problem = match taken.insert(former, name) {
                    _ if sources.contains_key(former) => {
                        format!("'{former}' is a source, and cannot be a former name of '{name}'")
                    }
                    Some(other) => {
                        format!("'{other}' and '{name}' cannot both have been '{former}'")
                    }
                    None => continue,
                };
                let hint = "name what the source was called before, and no other source";
                self.refuse(&span, problem, hint);
            }
        }
    }

    fn refuse(&mut self, span: &Range<usize>, message: impl Into<String>, hint: impl Into<Hint>) {
        self.findings.push(self.reading.finding(CONFIG_VALUE, span, message).hint(hint));
    }
}
