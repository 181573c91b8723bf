//! `[sources.NAME.http]` and `[sources.NAME.secrets.SLOT]`.

use super::bounds::Flaw;
use crate::env_var;
use crate::file::in_root;
use domain::code;
use domain::diagnostic::Diagnostic;
use reach::http::{AllowedRequest, Area, Http, HttpOptions, Networks, Proxy, normal};
use reach::secret::{OAuth2, SecretKeeper, SecretSlot, Secrets};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use toml::Spanned;

/// The scope of a service account where none is written: reading.
const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform.read-only";
pub const TIMEOUT_SECONDS_MAX: u64 = 3_600;
pub const RESPONSE_MIB_MAX: u64 = 1_024;
pub const REQUESTS_MAX: u64 = 100_000_000;
pub const REQUESTS_PER_MINUTE_MAX: u64 = 1_000_000;
pub const RETRIES_MAX: u64 = 20;
pub const RETRY_SECONDS_MAX: u64 = 3_600;

/// What the power `http` may ask, and how.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSection {
    /// What may be asked: a method (GET, HEAD, POST) and the start of a URL each, such as "GET
    /// https://api.example.com/v1/"; the host may be *.example.com.
    #[schemars(with = "Option<Vec<String>>")]
    pub allow: Option<Vec<Spanned<String>>>,
    /// Ranges of addresses that are not public and may be connected to, such as "10.1.0.0/16".
    #[schemars(with = "Option<Vec<String>>")]
    pub networks: Option<Vec<Spanned<String>>>,
    /// The longest one attempt may take; 60 unless said otherwise.
    #[schemars(with = "Option<u64>", range(min = 1, max = TIMEOUT_SECONDS_MAX))]
    pub timeout_seconds: Option<Spanned<u64>>,
    /// The longest answer, unpacked; 32 unless said otherwise.
    #[schemars(with = "Option<u64>", range(min = 1, max = RESPONSE_MIB_MAX))]
    pub response_mib: Option<Spanned<u64>>,
    /// The most requests of one run, repetitions included; 10000 unless said otherwise.
    #[schemars(with = "Option<u64>", range(min = 1, max = REQUESTS_MAX))]
    pub requests: Option<Spanned<u64>>,
    /// The pace; as fast as it goes unless said otherwise.
    #[schemars(with = "Option<u64>", range(min = 1, max = REQUESTS_PER_MINUTE_MAX))]
    pub requests_per_minute: Option<Spanned<u64>>,
    /// How often a request is repeated after 429, 5xx and lost connections; 4 unless said
    /// otherwise.
    #[schemars(with = "Option<u64>", range(min = 0, max = RETRIES_MAX))]
    pub retries: Option<Spanned<u64>>,
    /// The longest one request waits between its repetitions, all together; 120 unless said
    /// otherwise.
    #[schemars(with = "Option<u64>", range(min = 1, max = RETRY_SECONDS_MAX))]
    pub retry_seconds: Option<Spanned<u64>>,
    /// The proxy to go through, such as "http://proxy:3128"; the variable APPORTION_PROXY wins.
    #[schemars(with = "Option<String>")]
    pub proxy: Option<Spanned<String>>,
    /// Where `user:password` for the proxy is kept.
    #[schemars(with = "Option<KeptSection>")]
    pub proxy_auth: Option<Spanned<KeptSection>>,
    /// Hosts that are asked without the proxy: a name with all names that end in it, an address, or
    /// a range of addresses.
    #[schemars(with = "Option<Vec<String>>")]
    pub no_proxy: Option<Vec<Spanned<String>>>,
    /// Certificates in PEM that servers' certificates may be signed by, beside those that the
    /// machine trusts.
    #[schemars(with = "Option<String>")]
    pub ca_file: Option<Spanned<String>>,
}

impl HttpSection {
    fn except(&self) -> Vec<String> {
        self.no_proxy.iter().flatten().map(|host| host.get_ref().clone()).collect()
    }
}

/// One of the five ways in which a value is kept, and where it may go.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["for"]))]
pub struct SecretSection {
    /// The environment variable that holds the value.
    pub env: Option<String>,
    /// The file that holds the value.
    pub file: Option<String>,
    /// A program and its arguments that print the value, such as a vault's client.
    pub command: Option<Vec<String>>,
    /// The value is a token for client credentials; it is fetched and renewed.
    #[schemars(with = "Option<OAuth2Section>")]
    pub oauth2: Option<Spanned<OAuth2Section>>,
    /// The value is a token for a service account of Google; its token_uri must be allowed.
    pub google_service_account: Option<GoogleSection>,
    /// Where the secret may go: starts of URLs, at servers that `allow` names.
    #[serde(rename = "for")]
    #[schemars(with = "Option<Vec<String>>")]
    pub areas: Option<Vec<Spanned<String>>>,
}

/// A client of a token endpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2Section {
    /// Who gives tokens.
    #[schemars(with = "String")]
    pub token_url: Spanned<String>,
    pub client_id: String,
    /// Where the client's secret is kept.
    #[schemars(with = "KeptSection")]
    pub client_secret: Spanned<KeptSection>,
    pub scope: Option<String>,
}

/// Where a value is kept, in one of three ways.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptSection {
    /// The environment variable that holds the value.
    pub env: Option<String>,
    /// The file that holds the value.
    pub file: Option<String>,
    /// A program and its arguments that print the value, such as a vault's client.
    pub command: Option<Vec<String>>,
}

/// A service account of Google.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoogleSection {
    /// The key of the service account, as JSON.
    pub file: String,
    /// What the token is good for; reading of all unless said otherwise.
    pub scope: Option<String>,
}

/// The client of a source. Its sections were checked when the settings were read.
pub fn http(
    root: &Path,
    source: &str,
    section: Option<&HttpSection>,
    secrets_by_slot: &BTreeMap<String, Spanned<SecretSection>>,
) -> Result<Http, Diagnostic> {
    let mut flaws = Flaws::default();
    let mut options = section
        .map_or_else(|| HttpOptions::new(source), |section| flaws.options(section, source, root));
    if let Some(url) = env_var::value(env_var::PROXY) {
        let refused = |reason: String| {
            Diagnostic::new(
                code::CONFIG_VALUE,
                format!("{} cannot be used: {reason}", env_var::PROXY),
            )
            .hint(format!(
                "`export {}=http://proxy:3128`, and its user and password as {}=user:password",
                env_var::PROXY,
                env_var::PROXY_AUTH
            ))
        };
        let named = Proxy::at(&url.to_string_lossy()).map_err(refused)?;
        // User and password of the file are for the proxy of the file.
        let auth = env_var::value(env_var::PROXY_AUTH)
            .map(|_| SecretKeeper::Env(env_var::PROXY_AUTH.into()));
        let except = section.map(HttpSection::except).unwrap_or_default();
        options.proxy = Some(Proxy { auth, except, ..named });
    }
    let mut secrets = Secrets::default();
    for (slot, section) in secrets_by_slot {
        if let Some(known) = flaws.slot(&section.span(), section.get_ref(), &options.allow, root) {
            secrets.slots.insert(slot.clone(), known);
        }
    }
    match flaws.0.pop() {
        Some(flaw) => Err(Diagnostic::new(code::CONFIG_VALUE, flaw.message).hint(flaw.hint)),
        None => Ok(Http::new(options, secrets)),
    }
}

/// The values in the sections of a source that cannot be used.
pub fn flaws(
    section: Option<&HttpSection>,
    secrets: &BTreeMap<String, Spanned<SecretSection>>,
) -> Vec<Flaw> {
    let mut flaws = Flaws::default();
    let here = Path::new("");
    let allow = section.map(|http| flaws.options(http, "", here).allow).unwrap_or_default();
    for secret in secrets.values() {
        flaws.slot(&secret.span(), secret.get_ref(), &allow, here);
    }
    flaws.0
}

#[derive(Default)]
struct Flaws(Vec<Flaw>);

impl Flaws {
    fn add(&mut self, span: &Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Flaw { span: span.clone(), message: message.into(), hint: hint.into() });
    }

    fn options(&mut self, http: &HttpSection, source: &str, root: &Path) -> HttpOptions {
        let usual = HttpOptions::new(source);
        let seconds =
            |written: Option<u64>, usual: Duration| written.map_or(usual, Duration::from_secs);
        HttpOptions {
            allow: self.allow(http.allow.as_deref().unwrap_or_default()),
            networks: self.networks(http.networks.as_deref().unwrap_or_default()),
            timeout: seconds(
                self.number("timeout_seconds", http.timeout_seconds.as_ref(), TIMEOUT_SECONDS_MAX),
                usual.timeout,
            ),
            response_bytes: self
                .number("response_mib", http.response_mib.as_ref(), RESPONSE_MIB_MAX)
                .map_or(usual.response_bytes, |mib| mib << 20),
            requests: self
                .number("requests", http.requests.as_ref(), REQUESTS_MAX)
                .unwrap_or(usual.requests),
            requests_per_minute: self.small(
                "requests_per_minute",
                http.requests_per_minute.as_ref(),
                REQUESTS_PER_MINUTE_MAX,
            ),
            retries: match http.retries.as_ref().map(Spanned::get_ref) {
                Some(0) => 0,
                _ => self
                    .small("retries", http.retries.as_ref(), RETRIES_MAX)
                    .unwrap_or(usual.retries),
            },
            waiting: seconds(
                self.number("retry_seconds", http.retry_seconds.as_ref(), RETRY_SECONDS_MAX),
                usual.waiting,
            ),
            proxy: self.proxy(http, root),
            ca_file: http.ca_file.as_ref().map(|path| in_root(root, Path::new(path.get_ref()))),
            ..usual
        }
    }

    fn proxy(&mut self, http: &HttpSection, root: &Path) -> Option<Proxy> {
        let auth =
            http.proxy_auth.as_ref().and_then(|auth| self.kept(&auth.span(), auth.get_ref(), root));
        for host in http.no_proxy.as_deref().unwrap_or_default() {
            let text = host.get_ref();
            if text.is_empty() || text.contains([',', ' ', '*']) || text.contains("//") {
                self.add(
                    &host.span(),
                    format!(
                        "'{}' is no host that could be asked without the proxy",
                        text.escape_debug()
                    ),
                    "write a name, which also stands for all names that end in it, an address, or \
                        a range of addresses",
                );
            }
        }
        let url = http.proxy.as_ref()?;
        match Proxy::at(url.get_ref()) {
            Ok(proxy) => Some(Proxy { auth, except: http.except(), ..proxy }),
            Err(reason) => {
                let hint = "write `proxy = \"http://proxy:3128\"`; a user and a password go into \
                    `proxy_auth`";
                self.add(&url.span(), format!("this proxy cannot be used: {reason}"), hint);
                None
            }
        }
    }

    fn allow(&mut self, lines: &[Spanned<String>]) -> Vec<AllowedRequest> {
        let mut allow = Vec::new();
        for line in lines {
            match AllowedRequest::parse(line.get_ref()) {
                Ok(allowed) => allow.push(allowed),
                Err(reason) => {
                    let message =
                        format!("'{}' cannot be allowed: {reason}", line.get_ref().escape_debug());
                    self.add(
                        &line.span(),
                        message,
                        "write a method and the start of a URL, such \
                        as \"GET https://api.example.com/v1/\"",
                    );
                }
            }
        }
        allow
    }

    fn networks(&mut self, lines: &[Spanned<String>]) -> Networks {
        let mut networks = Vec::new();
        for line in lines {
            match Networks::range(line.get_ref()) {
                Ok(network) => networks.push(network),
                Err(reason) => self.add(
                    &line.span(),
                    reason,
                    "write a range of addresses, such as \"10.1.0.0/16\"",
                ),
            }
        }
        Networks::new(networks)
    }

    fn number(&mut self, name: &str, written: Option<&Spanned<u64>>, maximum: u64) -> Option<u64> {
        let written = written?;
        let value = *written.get_ref();
        if value == 0 || value > maximum {
            self.add(
                &written.span(),
                format!("{name} = {value} is out of bounds"),
                format!("use 1 to {maximum}"),
            );
        }
        Some(value.clamp(1, maximum))
    }

    fn small(&mut self, name: &str, written: Option<&Spanned<u64>>, maximum: u64) -> Option<u32> {
        self.number(name, written, maximum).map(|value| u32::try_from(value).unwrap_or(u32::MAX))
    }

    fn slot(
        &mut self,
        span: &Range<usize>,
        section: &SecretSection,
        allow: &[AllowedRequest],
        root: &Path,
    ) -> Option<SecretSlot> {
        let areas = self.areas(span, section.areas.as_deref().unwrap_or_default(), allow);
        let kept = KeptSection {
            env: section.env.clone(),
            file: section.file.clone(),
            command: section.command.clone(),
        };
        let google = section.google_service_account.as_ref();
        let named =
            kept.named() + usize::from(section.oauth2.is_some()) + usize::from(google.is_some());
        if named != 1 {
            let message = format!("this secret is kept in {named} places, and it has to be one");
            self.add(
                span,
                message,
                "write one of `env = \"NAME\"`, `file = \"path\"`, `command = [\"program\"]`, \
                    `oauth2 = {…}`, `google_service_account = {…}`",
            );
            return None;
        }
        let keeper = match (&section.oauth2, google) {
            (Some(client), _) => self.client(client.get_ref(), root)?,
            (_, Some(account)) => {
                let scope = account.scope.clone().unwrap_or_else(|| GOOGLE_SCOPE.into());
                SecretKeeper::GoogleServiceAccount {
                    file: in_root(root, Path::new(&account.file)),
                    scope,
                }
            }
            (None, None) => self.kept(span, &kept, root)?,
        };
        Some(SecretSlot { keeper, areas })
    }

    fn client(&mut self, client: &OAuth2Section, root: &Path) -> Option<SecretKeeper> {
        if let Err(reason) = normal(client.token_url.get_ref()) {
            self.add(
                &client.token_url.span(),
                format!("tokens cannot come from there: {reason}"),
                "write the URL of the token endpoint",
            );
        }
        let secret =
            self.kept(&client.client_secret.span(), client.client_secret.get_ref(), root)?;
        Some(SecretKeeper::OAuth2(OAuth2 {
            token_url: client.token_url.get_ref().clone(),
            client_id: client.client_id.clone(),
            client_secret: Box::new(secret),
            scope: client.scope.clone(),
        }))
    }

    fn kept(
        &mut self,
        span: &Range<usize>,
        section: &KeptSection,
        root: &Path,
    ) -> Option<SecretKeeper> {
        match section {
            KeptSection { env: Some(name), file: None, command: None } if !name.is_empty() => {
                Some(SecretKeeper::Env(name.clone()))
            }
            KeptSection { env: None, file: Some(path), command: None } if !path.is_empty() => {
                Some(SecretKeeper::File(in_root(root, Path::new(path))))
            }
            KeptSection { env: None, file: None, command: Some(words) } if !words.is_empty() => {
                Some(SecretKeeper::Command(words.clone()))
            }
            _ => {
                self.add(
                    span,
                    "it is not said where this secret is kept",
                    "write one of `env = \"NAME\"`, `file = \"path\"`, `command = [\"program\", \
                        \"argument\"]`",
                );
                None
            }
        }
    }

    /// The areas where a secret may go. The source must be allowed to ask their servers.
    fn areas(
        &mut self,
        span: &Range<usize>,
        lines: &[Spanned<String>],
        allow: &[AllowedRequest],
    ) -> Vec<Area> {
        if lines.is_empty() {
            self.add(
                span,
                "it is not said where this secret may go",
                "write `for = [\"https://api.example.com/\"]`",
            );
        }
        let mut areas = Vec::new();
        for line in lines {
            match Area::parse(line.get_ref()) {
                Ok(area) if allow.iter().any(|allowed| area.has_its_servers_in(&allowed.area)) => {
                    areas.push(area)
                }
                Ok(area) => {
                    let message =
                        format!("the secret may go to {area}, which this source may not ask");
                    self.add(
                        &line.span(),
                        message,
                        format!(
                            "add a line such as \"GET {area}\" to \
                        `allow`, or name a server that is there"
                        ),
                    );
                }
                Err(reason) => {
                    let message = format!(
                        "a secret cannot go to '{}': {reason}",
                        line.get_ref().escape_debug()
                    );
                    self.add(
                        &line.span(),
                        message,
                        "write the start of a URL, such as \"https://api.example.com/\"",
                    );
                }
            }
        }
        areas
    }
}

impl KeptSection {
    fn named(&self) -> usize {
        [self.env.is_some(), self.file.is_some(), self.command.is_some()]
            .into_iter()
            .filter(|named| *named)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use crate::reading::Reading;
    use crate::settings::Settings;
    use toml::Spanned;

    fn flaws(sections: &str) -> Vec<String> {
        let text = format!("[sources.x]\nplugin = 'p'\n{sections}");
        let reading = Reading { file: "a.toml", text: &text };
        let file: Settings = reading.parse().unwrap_or_else(|finding| panic!("{finding}"));
        let flaws = {
            let source = file.source("x").expect("a source");
            super::flaws(source.http.as_ref().map(Spanned::get_ref), &source.secrets)
        };
        flaws
            .into_iter()
            .map(|flaw| format!("{}: {}", reading.line(flaw.span.start), flaw.message))
            .collect()
    }

    #[test]
    fn what_can_be_used_has_no_flaw() {
        let sections = "[sources.x.http]\nallow = ['GET https://*.example.com/v1/', 'POST http://127.0.0.1:90']\nnetworks = ['127.0.0.0/8']\nretries = 0\n\
            proxy = 'http://proxy:3128'\nproxy_auth = { env = 'P' }\nno_proxy = ['internal.example', '10.0.0.0/8']\nca_file = 'ca.pem'\n\
            [sources.x.secrets.a]\nenv = 'A'\nfor = ['https://api.example.com/v1/costs']\n\
            [sources.x.secrets.b]\noauth2 = { token_url = 'https://login.example.org/t', client_id = 'me', client_secret = { file = 's' } }\nfor = ['https://*.example.com']\n\
            [sources.x.secrets.c]\ngoogle_service_account = { file = 'k.json' }\nfor = ['http://127.0.0.1:90']\n";
        assert_eq!(flaws(sections), Vec::<String>::new());
    }

    #[test]
    fn every_flaw_has_its_line() {
        let sections = "[sources.x.http]\nallow = ['https://h/', 'PUT https://h/', 'GET https://*/',\n'GET https://h/?q', 'GET https://h/v1']\nnetworks = ['0.0.0.0/0', 'home']\n\
            timeout_seconds = 0\nproxy = 'http://me:pw@proxy'\nproxy_auth = {}\nno_proxy = ['*.internal']\n\
            [sources.x.secrets.a]\nenv = 'A'\nfile = 'a'\nfor = ['https://h/']\n\
            [sources.x.secrets.b]\nenv = 'A'\n\
            [sources.x.secrets.c]\nenv = 'A'\nfor = ['https://other/', 'http://h/']\n\
            [sources.x.secrets.d]\noauth2 = { token_url = 'here', client_id = 'me', client_secret = {} }\nfor = ['https://h/']\n";
        assert_eq!(
            flaws(sections),
            [
                "4: 'https://h/' cannot be allowed: it is not a method and a URL",
                "4: 'PUT https://h/' cannot be allowed: the methods are GET, HEAD, POST",
                "4: 'GET https://*/' cannot be allowed: a star can only stand for the first \
                    labels of a name, as in *.example.com",
                "5: 'GET https://h/?q' cannot be allowed: a query or fragment cannot be part of it",
                "6: 0.0.0.0/0 would be every address there is",
                "6: 'home' is not a range of addresses",
                "7: timeout_seconds = 0 is out of bounds",
                "9: it is not said where this secret is kept",
                "10: '*.internal' is no host that could be asked without the proxy",
                "8: this proxy cannot be used: a user or password cannot stand in a URL: secrets \
                    have slots",
                "11: this secret is kept in 2 places, and it has to be one",
                "15: it is not said where this secret may go",
                "19: the secret may go to https://other/, which this source may not ask",
                "19: the secret may go to http://h/, which this source may not ask",
                "21: tokens cannot come from there: 'here' is not a URL: relative URL without a \
                    base",
                "21: it is not said where this secret is kept",
            ]
        );
    }
}
