//! The JSON schema of `apportion.toml`, for editors.

use crate::reach;
use crate::settings;
use domain::field::Field;
use rule_engine::options::UnknownTeams;
use serde_json::{Value, json};

/// As `config schema` prints it; `host/cli/apportion.schema.json` is its golden copy.
pub fn text() -> String {
    format!("{:#}\n", schema())
}

fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of Apportion (apportion.toml)",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "ledger": path("The ledger: one SQLite file, made by the first run.", settings::LEDGER),
            "rules": path("The folder of the rules; lookup tables lie in its subfolder tables/.", settings::RULES),
            "dimensions": dimensions(),
            "unknown_teams": {
                "description": "What becomes of costs whose rule names a team that tables/teams.csv does not have: the team bears them, with or without a warning, or they are in suspense.",
                "enum": UnknownTeams::NAMES,
                "default": "allow",
            },
            "require_approval": {
                "description": "Whether rules must be approved with `apportion rule approve` before `run` and `apply` post with them; plans can be made without.",
                "type": "boolean",
                "default": false,
            },
            "tags": {
                "description": "The tag schema: one section for each tag that has several spellings.",
                "type": "object",
                "additionalProperties": tag(),
            },
            "sources": {
                "description": "Where charges come from.",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z0-9._-]+$" },
                "additionalProperties": source(),
            },
            "allocators": {
                "description": "Allocator plugins that rules can ask, by name: paths of .wasm files, relative to the settings file.",
                "type": "object",
                "additionalProperties": { "type": "string", "minLength": 1 },
            },
            "server": object(json!({
                "listen": { "description": "Loopback address and port of `serve`.", "type": "string", "default": settings::LISTEN },
            })),
            "limits": limits(),
            "trust": object(json!({
                "keys": {
                    "description": "Public keys of minisign, by the name of who has them: plugins that they signed can be installed.",
                    "type": "object",
                    "additionalProperties": { "type": "string" },
                },
                "require_signature": { "description": "Whether plugins without a signature are refused.", "type": "boolean", "default": false },
            })),
        },
    })
}

fn object(properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn path(description: &str, default: &str) -> Value {
    json!({ "description": format!("{description} Relative to the settings file."), "type": "string", "minLength": 1, "default": default })
}

fn texts(description: &str) -> Value {
    json!({ "description": description, "type": "array", "items": { "type": "string" } })
}

fn dimensions() -> Value {
    let names =
        |fields: &mut dyn Iterator<Item = Field>| fields.map(Field::name).collect::<Vec<_>>();
    json!({
        "description": "What is kept of each charge: rules can read, and reports can group by, these and the tags.",
        "type": "array",
        "uniqueItems": true,
        "items": { "enum": names(&mut Field::all()) },
        "default": names(&mut Field::default_dimensions().into_iter()),
    })
}

fn tag() -> Value {
    object(json!({
        "synonyms": texts("Other keys that mean the same, in order of preference; keys match in any case."),
        "fold_values": { "description": "Whether values are lower-cased and trimmed.", "type": "boolean", "default": false },
        "values": {
            "description": "Other values that mean the same, compared after folding.",
            "type": "object",
            "additionalProperties": { "type": "string" },
        },
    }))
}

fn source() -> Value {
    let mut source = object(json!({
        "plugin": { "description": "A bundled plugin's name, or the path of a .wasm file.", "type": "string" },
        "paths": texts("Files, folders (*.csv, *.csv.gz and *.parquet in them, at any depth) and patterns; objects, prefixes and patterns of stores: s3://BUCKET/…, gs://BUCKET/…, az://ACCOUNT/CONTAINER/…; files of web servers: https://…."),
        "delimiter": { "description": "What separates the cells of CSV files.", "type": "string", "minLength": 1, "maxLength": 1, "default": "," },
        "grants": {
            "description": "The powers that the plugin is granted.",
            "type": "array",
            "items": { "enum": settings::POWERS },
        },
        "accrues_for": {
            "description": "The source whose bill this one estimates: its charges count on days of which that one has none yet, and are reversed when they come.",
            "type": "string",
        },
        "since": {
            "description": "The first day that is wanted, of a source without paths; otherwise the first day of the month before the first collection.",
            "type": "string",
            "format": "date",
        },
        "restate_days": {
            "description": "Days before those that are new, which are collected again since clouds restate them; otherwise as many as the plugin says.",
            "type": "integer",
            "minimum": 0,
            "maximum": settings::RESTATE_DAYS_MAX,
        },
        "schedule": {
            "description": "When `serve` collects the source, as cron has it, in UTC: minute, hour, day of the month, month, day of the week.",
            "type": "string",
            "examples": ["15 */6 * * *"],
        },
        "http": http(),
        "secrets": { "description": "Secrets by slot: where their values are kept.", "type": "object", "additionalProperties": secret() },
        "store": store(),
        "kubernetes": kubernetes(),
        "aws": aws(),
        "config": { "description": "The plugin's own settings; `plugin inspect` shows its schema.", "type": "object" },
    }));
    source["required"] = json!(["plugin"]);
    source
}

fn http() -> Value {
    let limit = |description: &str, maximum: u64| json!({ "description": description, "type": "integer", "minimum": 1, "maximum": maximum });
    let mut proxy_auth = object(kept());
    proxy_auth["description"] = json!("Where `user:password` for the proxy is kept.");
    object(json!({
        "allow": texts("What may be asked: a method (GET, HEAD, POST) and the start of a URL each, such as \"GET https://api.example.com/v1/\"; the host may be *.example.com."),
        "networks": texts("Ranges of addresses that are not public and may be connected to, such as \"10.1.0.0/16\"."),
        "timeout_seconds": limit("The longest one attempt may take; 60 unless said otherwise.", reach::TIMEOUT_SECONDS_MAX),
        "response_mib": limit("The longest answer, unpacked; 32 unless said otherwise.", reach::RESPONSE_MIB_MAX),
        "requests": limit("The most requests of one run, repetitions included; 10000 unless said otherwise.", reach::REQUESTS_MAX),
        "requests_per_minute": limit("The pace; as fast as it goes unless said otherwise.", reach::REQUESTS_PER_MINUTE_MAX),
        "retries": {
            "description": "How often a request is repeated after 429, 5xx and lost connections; 4 unless said otherwise.",
            "type": "integer", "minimum": 0, "maximum": reach::RETRIES_MAX,
        },
        "retry_seconds": limit("The longest one request waits between its repetitions, all together; 120 unless said otherwise.", reach::RETRY_SECONDS_MAX),
        "proxy": { "description": "The proxy to go through, such as \"http://proxy:3128\"; the variable APPORTION_PROXY wins.", "type": "string" },
        "proxy_auth": proxy_auth,
        "no_proxy": texts("Hosts that are asked without the proxy: a name with all names that end in it, an address, or a range of addresses."),
        "ca_file": { "description": "Certificates in PEM that servers' certificates may be signed by, beside those that the machine trusts.", "type": "string" },
    }))
}

/// Where a value is kept, by itself.
fn kept() -> Value {
    json!({
        "env": { "description": "The environment variable that holds the value.", "type": "string" },
        "file": { "description": "The file that holds the value.", "type": "string" },
        "command": texts("A program and its arguments that print the value, such as a vault's client."),
    })
}

fn secret() -> Value {
    let mut properties = kept();
    let mut client_secret = object(kept());
    client_secret["description"] = json!("Where the client's secret is kept.");
    let mut oauth2 = object(json!({
        "token_url": { "description": "Who gives tokens.", "type": "string" },
        "client_id": { "type": "string" },
        "client_secret": client_secret,
        "scope": { "type": "string" },
    }));
    oauth2["description"] =
        json!("The value is a token for client credentials; it is fetched and renewed.");
    oauth2["required"] = json!(["token_url", "client_id", "client_secret"]);
    let mut google = object(json!({
        "file": { "description": "The key of the service account, as JSON.", "type": "string" },
        "scope": { "description": "What the token is good for; reading of all unless said otherwise.", "type": "string" },
    }));
    google["description"] = json!(
        "The value is a token for a service account of Google; its token_uri must be allowed."
    );
    google["required"] = json!(["file"]);
    properties["oauth2"] = oauth2;
    properties["google_service_account"] = google;
    properties["for"] =
        texts("Where the secret may go: starts of URLs, at servers that `allow` names.");
    let mut secret = object(properties);
    secret["required"] = json!(["for"]);
    secret
}

fn store() -> Value {
    let text =
        |description: &str| json!({ "description": description, "type": "string", "minLength": 1 });
    let switch = |description: &str| json!({ "description": description, "type": "boolean", "default": false });
    let secret = |description: &str| {
        let mut secret = object(kept());
        secret["description"] = json!(description);
        secret
    };
    object(json!({
        "region": text("The region of S3 buckets; asked of S3 itself unless said."),
        "endpoint": text("The address of a store that speaks the protocol of S3, Azure Blob or Google Cloud Storage and is not the vendor's own."),
        "allow_http": switch("Whether stores and web servers may be asked without TLS."),
        "ca_file": text("A PEM file of certificates that are trusted beside the system's. Relative to the settings file."),
        "anonymous": switch("Whether to ask without credentials, for what is public."),
        "profile": text("The profile of the AWS configuration whose credentials are used for S3."),
        "role": text("The ARN of a role that is assumed for S3."),
        "external_id": text("What the role's trust policy wants to hear."),
        "tenant_id": text("The tenant of Azure's client secret."),
        "client_id": text("The application of Azure's client secret, or the managed identity."),
        "cache": text("The folder of the copies of objects, instead of the user's cache. Relative to the settings file."),
        "timeout_seconds": {
            "description": "How long a store may be silent before it is asked again.",
            "type": "integer",
            "minimum": 1,
            "maximum": crate::reach::STORE_SECONDS_MAX,
            "default": crate::reach::STORE_SECONDS,
        },
        "access_key": secret("An access key of S3, instead of what the AWS configuration has."),
        "secret_key": secret("The secret of the access key."),
        "session_token": secret("The token of the access key's session."),
        "account_key": secret("A key of Azure's storage account."),
        "sas": secret("A shared access signature of Azure."),
        "client_secret": secret("The secret of Azure's `client_id`."),
        "service_account": secret("The key file of a Google service account."),
        "bearer": secret("The token that a web server wants."),
        "basic": secret("What a web server wants as `user:password`."),
        "query": secret("What stands behind the question mark of a web server's URL where that is secret, as in signed URLs."),
    }))
}

fn kubernetes() -> Value {
    object(json!({
        "kubeconfig": {
            "description": "The kubeconfig, relative to the settings file; without one, the cluster that Apportion runs in. A program that it names for credentials is run.",
            "type": "string",
            "minLength": 1,
        },
        "context": { "description": "The context of the kubeconfig; its current one unless said.", "type": "string", "minLength": 1 },
        "resources": {
            "description": "The kinds that may be listed: plurals, with their group where they have one. Secrets and config maps cannot be granted.",
            "type": "array",
            "items": { "type": "string", "pattern": "^[a-z0-9.-]+(/[a-z0-9-]+)?$" },
            "default": ::reach::kubernetes::RESOURCES,
        },
        "namespaces": texts("The namespaces of which anything may be listed; all unless said. Kinds of the whole cluster, such as nodes, are listed whole."),
        "timeout_seconds": {
            "description": "How long the cluster may take to answer.",
            "type": "integer",
            "minimum": 1,
            "maximum": crate::reach::KUBERNETES_SECONDS_MAX,
            "default": crate::reach::KUBERNETES_SECONDS,
        },
    }))
}

fn aws() -> Value {
    object(json!({
        "profile": { "description": "A profile of ~/.aws/config. Without one, credentials are found where AWS's own tools find them.", "type": "string", "minLength": 1 },
        "role": { "description": "The ARN of a role to be taken on.", "type": "string", "pattern": "^arn:" },
        "external_id": { "description": "What the role's trust policy may ask for.", "type": "string", "minLength": 1 },
        "region": { "description": "The region that is asked; us-east-1 where nothing else says one.", "type": "string", "minLength": 1 },
        "endpoint": { "description": "Instead of AWS's own address of the service; AWS_ENDPOINT_URL is honored too.", "type": "string", "pattern": "^https?://" },
        "calls": {
            "description": "Requests that one run may make of Cost Explorer, repetitions included. AWS charges about 0.01 USD for each.",
            "type": "integer",
            "minimum": 1,
            "maximum": reach::AWS_CALLS_MAX,
            "default": reach::AWS_CALLS,
        },
        "timeout_seconds": {
            "description": "The longest that one attempt may take.",
            "type": "integer",
            "minimum": 1,
            "maximum": reach::AWS_TIMEOUT_SECONDS_MAX,
            "default": reach::AWS_TIMEOUT_SECONDS,
        },
    }))
}

fn limits() -> Value {
    let limit = |description: &str, maximum: u64| json!({ "description": description, "type": "integer", "minimum": 1, "maximum": maximum });
    object(json!({
        "threads": limit("Threads that read bills; all cores unless said otherwise.", settings::THREADS_MAX),
        "sources_at_once": {
            "description": "Sources that are collected at one time; what they hand over is written one after the other.",
            "type": "integer",
            "minimum": 1,
            "maximum": settings::SOURCES_AT_ONCE_MAX,
            "default": settings::SOURCES_AT_ONCE,
        },
        "plugin_seconds": limit("The longest one call of a plugin may take.", settings::PLUGIN_SECONDS_MAX),
        "plugin_memory_mib": limit("The most memory a plugin may have.", settings::PLUGIN_MIB_MAX),
        "compile_seconds": limit("The longest that compiling a plugin which is not bundled may take.", settings::COMPILE_SECONDS_MAX),
        "compile_memory_mib": {
            "description": "The most memory that compiling such a plugin may take.",
            "type": "integer",
            "minimum": settings::COMPILE_MIB.start(),
            "maximum": settings::COMPILE_MIB.end(),
        },
        "powers": {
            "description": "The powers that sources may grant; all unless said otherwise. The variable APPORTION_POWERS wins.",
            "type": "array",
            "items": { "enum": settings::POWERS },
        },
        "rule_operations": limit("The most work one call of a rule may do.", settings::RULE_OPERATIONS_MAX),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Reading;
    use std::collections::BTreeSet;

    /// The keys that the parser names when it meets one that does not exist.
    fn known_keys(text: &str) -> BTreeSet<String> {
        let reading = Reading { file: "apportion.toml", text };
        let hint =
            reading.parse().err().and_then(|finding| finding.hint_text()).unwrap_or_default();
        hint.trim_start_matches("settings that can stand here: ")
            .split(", ")
            .map(str::to_owned)
            .collect()
    }

    fn properties(pointer: &str) -> BTreeSet<String> {
        let schema = schema();
        let object = schema.pointer(pointer).and_then(Value::as_object);
        object.into_iter().flat_map(|object| object.keys().cloned()).collect()
    }

    #[test]
    fn the_schema_has_the_keys_that_the_parser_knows() {
        for (text, pointer) in [
            ("zzzzzzzz = 1", "/properties"),
            ("[tags.x]\nzzzzzzzz = 1", "/properties/tags/additionalProperties/properties"),
            ("[sources.x]\nzzzzzzzz = 1", "/properties/sources/additionalProperties/properties"),
            (
                "[sources.x.http]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/http/properties",
            ),
            (
                "[sources.x.secrets.s]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/secrets/additionalProperties/properties",
            ),
            (
                "[sources.x.aws]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/aws/properties",
            ),
            ("[server]\nzzzzzzzz = 1", "/properties/server/properties"),
            (
                "[sources.x.store]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/store/properties",
            ),
            ("[limits]\nzzzzzzzz = 1", "/properties/limits/properties"),
            (
                "[sources.x.kubernetes]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/kubernetes/properties",
            ),
            ("[trust]\nzzzzzzzz = 1", "/properties/trust/properties"),
        ] {
            assert_eq!(known_keys(text), properties(pointer), "{text}");
        }
    }
}
