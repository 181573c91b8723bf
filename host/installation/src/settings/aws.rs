//! `[sources.NAME.aws]`: the account that AWS is asked as, and how often.

use super::section::section;
use super::setting::{Setting, SettingFault, SettingValue};
use super::value::{Count, NonEmpty};
use serde_json::{Value, json};

/// Requests that one run may make of Cost Explorer: about half a dollar's worth.
const CALLS: u64 = 50;
const CALLS_MAX: u64 = 10_000;
const TIMEOUT_SECONDS: u64 = 60;
const TIMEOUT_SECONDS_MAX: u64 = 900;

section! {
    /// The account that AWS is asked as, and how often it is asked.
    pub struct AwsSection {
        /// A profile of ~/.aws/config. Without one, credentials are found where AWS's own tools
        /// find them.
        pub profile: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The ARN of a role to be taken on.
        pub role: Setting<Option<RoleArn>> = Setting::default_of(None),
        /// The external id that the role's trust policy asks for.
        pub external_id: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The region that is asked; us-east-1 where nothing else says one.
        pub region: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// Instead of AWS's own address of the service; AWS_ENDPOINT_URL is honored too.
        pub endpoint: Setting<Option<EndpointUrl>> = Setting::default_of(None),
        /// Requests that one run may make of Cost Explorer, repetitions included. AWS charges about
        /// 0.01 USD for each.
        pub calls: Setting<Count<1, CALLS_MAX>> = Setting::default_of(Count::new(CALLS)),
        /// The longest that one attempt may take.
        pub timeout_seconds: Setting<Count<1, TIMEOUT_SECONDS_MAX>> =
            Setting::default_of(Count::new(TIMEOUT_SECONDS)),
    }
}

/// The name of a role: `arn:aws:iam::111122223333:role/apportion`.
#[derive(Clone, Debug)]
pub struct RoleArn(pub String);

impl SettingValue for RoleArn {
    type Written = String;

    fn read(written: String) -> (RoleArn, Vec<SettingFault>) {
        let fault = || {
            SettingFault::new(
                format!("the role '{}' is not the ARN of a role", written.escape_debug()),
                "role = \"arn:aws:iam::111122223333:role/apportion\"",
            )
        };
        let faults = if written.starts_with("arn:") { Vec::new() } else { vec![fault()] };
        (RoleArn(written), faults)
    }

    fn shown(&self) -> Value {
        self.0.as_str().into()
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^arn:" })
    }
}

/// The URL of a service.
#[derive(Clone, Debug)]
pub struct EndpointUrl(pub String);

impl SettingValue for EndpointUrl {
    type Written = String;

    fn read(written: String) -> (EndpointUrl, Vec<SettingFault>) {
        let fault = || {
            SettingFault::new(
                format!("the endpoint '{}' is not a URL", written.escape_debug()),
                "endpoint = \"https://ce.us-east-1.amazonaws.com\"",
            )
        };
        let is_url = ["http://", "https://"].iter().any(|scheme| written.starts_with(scheme));
        let faults = if is_url { Vec::new() } else { vec![fault()] };
        (EndpointUrl(written), faults)
    }

    fn shown(&self) -> Value {
        self.0.as_str().into()
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^https?://" })
    }
}
