//! URLs of objects: the store, the bucket and the key.

use super::trouble;
use crate::failure::Failure;
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    S3,
    Gcs,
    Azure,
    /// A web server: one URL is one file.
    Web,
}

/// `s3://bucket/key`, `gs://bucket/key`, `az://account/container/key`,
/// `abfss://container@account.dfs.core.windows.net/key`, `https://host/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub kind: StoreKind,
    /// Azure's storage account.
    pub account: String,
    /// The bucket or container; the host of a web server.
    pub bucket: String,
    /// The key as the store writes it, not percent-encoded. For a web server, the whole URL.
    pub key: String,
    /// The part before the key in the names that people and plugins see.
    pub root: String,
}

/// Whether a path of a source is a URL.
pub fn is_url(written: &str) -> bool {
    written.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

impl Address {
    pub fn parse(written: &str) -> Result<Address, Failure> {
        let (scheme, rest) = written.split_once("://").unwrap_or(("", written));
        match scheme {
            "s3" | "s3a" => bucket(StoreKind::S3, written, scheme, rest),
            "gs" | "gcs" => bucket(StoreKind::Gcs, written, scheme, rest),
            "az" | "azure" => {
                let (account, rest) = rest.split_once('/').unwrap_or((rest, ""));
                let address = bucket(StoreKind::Azure, written, scheme, rest)?;
                let root = format!("{scheme}://{account}/{}/", address.bucket);
                if account.is_empty() {
                    Err(trouble::no_address(written))
                } else {
                    Ok(Address { account: account.into(), root, ..address })
                }
            }
            "abfss" | "abfs" => hadoop(written, scheme, rest),
            "https" | "http" => web(written),
            _ => Err(trouble::no_address(written)),
        }
    }

    /// The name of an object as people and plugins see it.
    pub fn name(&self, key: &str) -> String {
        if self.kind == StoreKind::Web { key.to_owned() } else { format!("{}{key}", self.root) }
    }

    /// The folder in front of the first wildcard of the key, and the pattern, if there is one.
    pub fn folder_and_pattern(&self) -> (&str, Option<&str>) {
        match self.key.find(['*', '?', '[']) {
            None => (&self.key, None),
            Some(at) => {
                (self.key[..at].rfind('/').map_or("", |slash| &self.key[..slash]), Some(&self.key))
            }
        }
    }
}

fn bucket(kind: StoreKind, written: &str, scheme: &str, rest: &str) -> Result<Address, Failure> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    // A bucket becomes a part of a host or of a path, so only characters of names are taken.
    if bucket.is_empty()
        || !bucket.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '$'))
    {
        return Err(trouble::no_address(written));
    }
    let root = format!("{scheme}://{bucket}/");
    Ok(Address { kind, account: String::new(), bucket: bucket.into(), key: key.into(), root })
}

fn hadoop(written: &str, scheme: &str, rest: &str) -> Result<Address, Failure> {
    let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
    let (container, host) = host.split_once('@').ok_or_else(|| trouble::no_address(written))?;
    let account = host.split('.').next().unwrap_or_default();
    let address = bucket(StoreKind::Azure, written, scheme, &format!("{container}/{key}"))?;
    Ok(Address {
        account: account.into(),
        root: format!("{scheme}://{container}@{host}/"),
        ..address
    })
}

fn web(written: &str) -> Result<Address, Failure> {
    let url = Url::parse(written).map_err(|_| trouble::no_address(written))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(trouble::secret_in_url(url));
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    Ok(Address {
        kind: StoreKind::Web,
        account: String::new(),
        bucket: host,
        key: written.into(),
        root: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_stores_buckets_and_keys() {
        let cases = [
            ("s3://bills/focus/2026/", "S3  bills focus/2026/", "s3://bills/k"),
            ("s3://bills", "S3  bills ", "s3://bills/k"),
            ("s3://bills/a b=%20/c.csv", "S3  bills a b=%20/c.csv", "s3://bills/k"),
            ("gs://bills/x.csv", "Gcs  bills x.csv", "gs://bills/k"),
            ("az://acme/bills/x/y.csv", "Azure acme bills x/y.csv", "az://acme/bills/k"),
            (
                "abfss://bills@acme.dfs.core.windows.net/x",
                "Azure acme bills x",
                "abfss://bills@acme.dfs.core.windows.net/k",
            ),
            (
                "https://example.com/a/b.csv.gz?month=1",
                "Web  example.com https://example.com/a/b.csv.gz?month=1",
                "k",
            ),
        ];
        for (written, expect, name) in cases {
            let address =
                Address::parse(written).unwrap_or_else(|failure| panic!("{}", failure.diagnostic));
            let shown = format!(
                "{:?} {} {} {}",
                address.kind, address.account, address.bucket, address.key
            );
            assert_eq!((shown.as_str(), address.name("k").as_str()), (expect, name), "{written}");
        }
        for wrong in [
            "ftp://host/x",
            "s3://",
            "s3:///x",
            "az://",
            "az://acme",
            "s3://a@b/c",
            "https://user:hunter2@host/x",
        ] {
            let refused = Address::parse(wrong).map_or_else(
                |failure| failure.diagnostic.to_string(),
                |address| format!("{address:?}"),
            );
            assert!(refused.starts_with("C104: "), "{wrong}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn a_pattern_is_looked_for_in_the_folder_before_it() {
        let address = Address::parse("s3://b/focus/2026-*/part-?.csv")
            .unwrap_or_else(|failure| panic!("{}", failure.diagnostic));
        assert_eq!(address.folder_and_pattern(), ("focus", Some("focus/2026-*/part-?.csv")));
        let address = Address::parse("s3://b/*.csv")
            .unwrap_or_else(|failure| panic!("{}", failure.diagnostic));
        assert_eq!(address.folder_and_pattern(), ("", Some("*.csv")));
    }

    #[test]
    fn paths_are_no_urls() {
        assert_eq!(
            ["s3://x", "bills/*.csv", "/a/b", "://", "a b://c"].map(is_url),
            [true, false, false, false, false]
        );
    }
}
