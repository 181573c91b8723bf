//! `[sources.NAME.http]`: the requests that a source may make, and how they are made.

use super::secret::KeptSection;
use super::section::section;
use super::setting::{Setting, SettingFault, SettingValue};
use super::value::{Count, NonEmpty, list};
use reach::http::{AllowedRequest, HttpOptions, Networks, Proxy};
use serde_json::{Value, json};
use toml::Spanned;

const TIMEOUT_SECONDS_MAX: u64 = 3_600;
const RESPONSE_MIB_MAX: u64 = 1_024;
const REQUESTS_MAX: u64 = 100_000_000;
const REQUESTS_PER_MINUTE_MAX: u64 = 1_000_000;
const RETRIES_MAX: u64 = 20;
const RETRY_SECONDS_MAX: u64 = 3_600;

section! {
    /// The requests that the power `http` may make, and how they are made.
    pub struct HttpSection {
        /// The requests that are allowed: a method (GET, HEAD, POST) and the start of a URL each,
        /// such as "GET https://api.example.com/v1/"; the host may be *.example.com.
        pub allow: Setting<AllowedRequests> = Setting::default_of(AllowedRequests::default()),
        /// Ranges of addresses that are not public and may be connected to, such as "10.1.0.0/16".
        pub networks: Setting<NetworkRanges> = Setting::default_of(NetworkRanges::default()),
        /// The longest that one attempt may take.
        pub timeout_seconds: Setting<Count<1, TIMEOUT_SECONDS_MAX>> =
            Setting::default_of(Count::new(HttpOptions::TIMEOUT.as_secs())),
        /// The longest answer, unpacked.
        pub response_mib: Setting<Count<1, RESPONSE_MIB_MAX>> =
            Setting::default_of(Count::new(HttpOptions::RESPONSE_BYTES >> 20)),
        /// The most requests of one run, repetitions included.
        pub requests: Setting<Count<1, REQUESTS_MAX>> =
            Setting::default_of(Count::new(HttpOptions::REQUESTS)),
        /// The pace. Without it requests are sent as fast as the server answers.
        pub requests_per_minute: Setting<Option<Count<1, REQUESTS_PER_MINUTE_MAX>>> =
            Setting::default_of(None),
        /// How often a request is repeated after 429, 5xx and lost connections.
        pub retries: Setting<Count<0, RETRIES_MAX>> =
            Setting::default_of(Count::new(HttpOptions::RETRIES as u64)),
        /// The longest that one request waits between its repetitions, all together.
        pub retry_seconds: Setting<Count<1, RETRY_SECONDS_MAX>> =
            Setting::default_of(Count::new(HttpOptions::WAITING.as_secs())),
        /// The proxy to go through, such as "http://proxy:3128"; the variable APPORTION_PROXY wins.
        pub proxy: Setting<ProxyUrl> = Setting::default_of(ProxyUrl::default()),
        /// Hosts that are asked without the proxy: a name with all names that end in it, an
        /// address, or a range of addresses.
        pub no_proxy: Setting<DirectHosts> = Setting::default_of(DirectHosts::default()),
        /// A PEM file of certificates that are trusted as signers beside those that the machine
        /// trusts. Relative to the settings file.
        pub ca_file: Setting<Option<NonEmpty>> = Setting::default_of(None),
    }
    unlisted {
        /// Where `user:password` for the proxy is kept.
        #[schemars(with = "Option<KeptSection>")]
        pub proxy_auth: Option<Spanned<KeptSection>>,
    }
}

/// Lines of `allow`.
#[derive(Clone, Debug, Default)]
pub struct AllowedRequests(pub Vec<AllowedRequest>);

impl SettingValue for AllowedRequests {
    type Written = Vec<Spanned<String>>;

    fn read(written: Self::Written) -> (AllowedRequests, Vec<SettingFault>) {
        let (allowed, faults) = list(written, |text| {
            AllowedRequest::parse(text).map_err(|reason| {
                SettingFault::new(
                    format!("'{}' cannot be allowed: {reason}", text.escape_debug()),
                    "write a method and the start of a URL, such as \
                        \"GET https://api.example.com/v1/\"",
                )
            })
        });
        (AllowedRequests(allowed), faults)
    }

    fn shown(&self) -> Value {
        self.0.iter().map(AllowedRequest::to_string).collect()
    }

    fn schema() -> Value {
        <Vec<String>>::schema()
    }
}

/// Ranges of addresses, as texts that can be read.
#[derive(Clone, Debug, Default)]
pub struct NetworkRanges(Vec<String>);

impl NetworkRanges {
    pub fn networks(&self) -> Networks {
        Networks::new(self.0.iter().filter_map(|range| Networks::range(range).ok()).collect())
    }
}

impl SettingValue for NetworkRanges {
    type Written = Vec<Spanned<String>>;

    fn read(written: Self::Written) -> (NetworkRanges, Vec<SettingFault>) {
        let (ranges, faults) = list(written, |text| match Networks::range(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(reason) => Err(SettingFault::new(
                reason,
                "write a range of addresses, such as \"10.1.0.0/16\"",
            )),
        });
        (NetworkRanges(ranges), faults)
    }

    fn shown(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        <Vec<String>>::schema()
    }
}

/// The address of a proxy, without a user and a password.
#[derive(Clone, Debug, Default)]
pub struct ProxyUrl(Option<String>);

impl ProxyUrl {
    pub fn proxy(&self) -> Option<Proxy> {
        self.0.as_deref().and_then(|url| Proxy::at(url).ok())
    }
}

impl SettingValue for ProxyUrl {
    type Written = String;

    fn read(written: String) -> (ProxyUrl, Vec<SettingFault>) {
        match Proxy::at(&written) {
            Ok(_) => (ProxyUrl(Some(written)), Vec::new()),
            Err(reason) => {
                let message = format!("this proxy cannot be used: {reason}");
                let hint = "write `proxy = \"http://proxy:3128\"`; a user and a password go into \
                    `proxy_auth`";
                (ProxyUrl(None), vec![SettingFault::new(message, hint)])
            }
        }
    }

    fn shown(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        String::schema()
    }
}

/// Hosts that are asked without the proxy.
#[derive(Clone, Debug, Default)]
pub struct DirectHosts(pub Vec<String>);

impl SettingValue for DirectHosts {
    type Written = Vec<Spanned<String>>;

    fn read(written: Self::Written) -> (DirectHosts, Vec<SettingFault>) {
        let (hosts, faults) = list(written, |text| {
            if !text.is_empty() && !text.contains([',', ' ', '*']) && !text.contains("//") {
                return Ok(text.to_owned());
            }
            Err(SettingFault::new(
                format!(
                    "'{}' is no host that could be asked without the proxy",
                    text.escape_debug()
                ),
                "write a name, which also stands for all names that end in it, an address, or a \
                    range of addresses",
            ))
        });
        (DirectHosts(hosts), faults)
    }

    fn shown(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        <Vec<String>>::schema()
    }
}
