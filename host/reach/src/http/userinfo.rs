//! Users and passwords in URLs. A URL is shown in messages and settings, so they are hidden there.

use super::HttpMethod;
use url::Url;

/// Stands where a user and a password were.
const MASK: &str = "***";
/// Schemes whose URLs name a container in front of the `@`.
const CONTAINER_SCHEMES: [&str; 2] = ["abfs", "abfss"];

/// Whether a text is a URL with a user or a password in it.
pub fn has_userinfo(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        scheme.chars().all(is_of_scheme) && userinfo_end(scheme, rest).is_some()
    })
}

/// A text that is one URL, or was meant to be one, without its user and password.
pub fn masked_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        let after = text.rsplit_once('@').map(|(_, after)| format!("{MASK}@{after}"));
        return after.unwrap_or_else(|| text.to_owned());
    };
    match userinfo_end(scheme, rest) {
        Some(end) => format!("{scheme}://{MASK}{}", &rest[end..]),
        None => text.to_owned(),
    }
}

/// Any text, such as a line of the settings, without the users and passwords of its URLs.
pub fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at);
        let after = &after["://".len()..];
        let (before_url, scheme) = before.split_at(before.trim_end_matches(is_of_scheme).len());
        let (url, left) = after.split_at(url_end(before_url, after));
        masked.push_str(before);
        masked.push_str("://");
        match userinfo_end(scheme, url) {
            Some(end) => masked.extend([MASK, &url[end..]]),
            None => masked.push_str(url),
        }
        rest = left;
    }
    without_bare_userinfo(&(masked + rest))
}

/// The same for addresses without a scheme, or with a broken one, such as `me:password@host`.
fn without_bare_userinfo(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for piece in text.split_inclusive(ends_an_address) {
        let run = piece.trim_end_matches(ends_an_address);
        match run.rsplit_once('@') {
            // An image is named by tag and digest: `name:tag@sha256:…`.
            Some((user, host)) if user.contains(':') && !host.starts_with("sha256:") => {
                masked.extend([MASK, "@", host, &piece[run.len()..]]);
            }
            _ => masked.push_str(piece),
        }
    }
    masked
}

fn ends_an_address(c: char) -> bool {
    c.is_whitespace() || "\"'`,;[](){}<>=&?#/\\".contains(c)
}

fn is_of_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// Where a URL ends: at the quote that it began with, or at the first space where it began with
/// none. In a line of `allow`, its method stands between the quote and the URL.
fn url_end(before: &str, after: &str) -> usize {
    let names = HttpMethod::ALL.map(HttpMethod::name);
    let line = before
        .strip_suffix(' ')
        .and_then(|line| names.iter().find_map(|method| line.strip_suffix(method)));
    let quote = line.unwrap_or(before).chars().next_back();
    let quote = quote.filter(|c| matches!(c, '"' | '\'' | '`'));
    let mut is_escaped = false;
    let end = after.find(|c: char| {
        let ends = match quote {
            Some(quote) => c == quote && !is_escaped,
            None => c.is_whitespace(),
        };
        is_escaped = c == '\\' && !is_escaped;
        ends || c == '\n'
    });
    end.unwrap_or(after.len())
}

/// The place of the `@` behind user and password; `rest` is a URL after its scheme.
fn userinfo_end(scheme: &str, rest: &str) -> Option<usize> {
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let end = match authority.rfind('@') {
        // A password that was not escaped can hold a slash. Then the text is no URL, and what
        // stands behind its first colon is no port.
        None if authority.split_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_err())
            && Url::parse(&format!("{scheme}://{rest}")).is_err() =>
        {
            rest.rfind('@')
        }
        end => end,
    };
    end.filter(|end| !CONTAINER_SCHEMES.contains(&scheme) || rest[..*end].contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_hidden_and_the_rest_is_shown() {
        for (url, expect) in [
            ("https://me:pw@h/x", "https://***@h/x"),
            ("https://token@h", "https://***@h"),
            ("https://me:p@ss w@h/a@b?c", "https://***@h/a@b?c"),
            ("http://me:p/w@h:3128", "http://***@h:3128"),
            ("s3://key:pw@bucket/x", "s3://***@bucket/x"),
            (r"s3://key:p\tw@bucket/x", "s3://***@bucket/x"),
            ("git+ssh://me:p w@h/x", "git+ssh://***@h/x"),
            ("me:pw@h:3128", "***@h:3128"),
        ] {
            assert_eq!(masked_url(url), expect);
        }
        for url in [
            "https://h/a@b",
            "https://h:8080/?mail=a@b",
            "https://<region>.example.com/users/a@b",
            "https://<region>.example.com:8080/users/a@b",
            "https://[::1]/users/a@b",
            "abfss://bills@acme.dfs.core.windows.net/x",
            "bills/*.csv",
        ] {
            assert_eq!(masked_url(url), url);
            assert!(!has_userinfo(url), "{url}");
        }
        assert!(has_userinfo("https://me:pw@h") && has_userinfo("abfss://a:pw@b/c"));
        assert!(!has_userinfo("curl https://me:pw@h"));
    }

    #[test]
    fn every_url_of_a_text_is_searched() {
        for (text, expect) in [
            (
                r#"paths = ["https://a:pw one@h/x", 'https://b:"pw@h/y']  # me@example.com"#,
                r#"paths = ["https://***@h/x", 'https://***@h/y']  # me@example.com"#,
            ),
            (r#"url = "git+ssh://me:p w@h/""#, r#"url = "git+ssh://***@h/""#),
            (r#"proxy = "me:p@w@h:3128""#, r#"proxy = "***@h:3128""#),
            (r#"url = "https:/me:pw@h/x""#, r#"url = "https:/***@h/x""#),
            (r#"url = "https:me:pw@h/x""#, r#"url = "***@h/x""#),
            ("https://h/x?u=https://me:pw@h/", "https://h/x?u=https://***@h/"),
            ("ghcr.io/acme/bill:1.2@sha256:0a1b", "ghcr.io/acme/bill:1.2@sha256:0a1b"),
            (
                r"'GET https://me:p\'w@h/' cannot be allowed",
                r"'GET https://***@h/' cannot be allowed",
            ),
            (r#"allow = ["GET https://me:p w@h/"]"#, r#"allow = ["GET https://***@h/"]"#),
            (
                "the source's server https://h answers a@b",
                "the source's server https://h answers a@b",
            ),
            ("http://h answers a@b", "http://h answers a@b"),
            ("no URL: a@b", "no URL: a@b"),
        ] {
            assert_eq!(masked(text), expect);
        }
    }
}
