//! A part of the web: scheme, host, port and the start of a path. A URL is brought into one
//! spelling, and that spelling is both compared and sent.

use super::masked_url;
use std::fmt;
use url::{Host, Url};

/// Such as `https://api.example.com/v1/`; the host may be `*.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    scheme: String,
    host: HostName,
    port: u16,
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostName {
    This(String),
    /// All names below this one.
    Below(String),
}

impl HostName {
    fn holds(&self, host: &str) -> bool {
        match self {
            HostName::This(name) => name == host,
            // The dot must be there: `evil-example.com` also ends with `example.com`.
            HostName::Below(name) => host
                .strip_suffix(name.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

impl Area {
    /// Refuses a text that is no part of the web, with the reason.
    pub fn parse(text: &str) -> Result<Area, String> {
        let url = normal(text)?;
        if url.query().is_some() || text.contains('#') {
            return Err("a query or fragment cannot be part of it".into());
        }
        let host = url.host_str().unwrap_or_default();
        let host = match host.strip_prefix("*.") {
            None if host.contains('*') => {
                return Err(
                    "a star can only stand for the first labels of a name, as in *.example.com"
                        .into(),
                );
            }
            None => HostName::This(host.into()),
            Some(name)
                if name.contains('*')
                    || !name.contains('.')
                    || matches!(Host::parse(name), Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_)) =>
            {
                return Err(format!("*.{name} would be half the web"));
            }
            Some(name) => HostName::Below(name.into()),
        };
        Ok(Area {
            scheme: url.scheme().into(),
            host,
            port: url.port_or_known_default().unwrap_or_default(),
            path: url.path().into(),
        })
    }

    /// Whether a URL in its `normal` spelling lies in this area. Paths are compared by whole
    /// segments: `/v1` does not hold `/v10`.
    pub fn holds(&self, url: &Url) -> bool {
        let in_path = || {
            url.path().strip_prefix(&self.path).is_some_and(|rest| {
                self.path.ends_with('/') || rest.is_empty() || rest.starts_with('/')
            })
        };
        let host = || url.host_str().is_some_and(|host| self.host.holds(host));
        url.scheme() == self.scheme
            && url.port_or_known_default() == Some(self.port)
            && host()
            && in_path()
    }

    /// Whether all servers of this area are servers of the other.
    pub fn has_its_servers_in(&self, other: &Area) -> bool {
        let host = match (&self.host, &other.host) {
            (HostName::Below(name), HostName::Below(wide)) => {
                name == wide || other.host.holds(name)
            }
            (HostName::Below(_), HostName::This(_)) => false,
            (HostName::This(name), _) => other.host.holds(name),
        };
        host && self.scheme == other.scheme && self.port == other.port
    }

    pub fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.host {
            HostName::This(name) => name.clone(),
            HostName::Below(name) => format!("*.{name}"),
        };
        let usual = if self.scheme == "https" { 443 } else { 80 };
        let port = if self.port == usual { String::new() } else { format!(":{}", self.port) };
        write!(f, "{}://{host}{port}{}", self.scheme, self.path)
    }
}

/// Brings a URL into its one spelling, or says why it has none.
///
/// The parser writes schemes and hosts in lower case, names of other scripts in ASCII, addresses in
/// their usual form, and resolves dots. This function takes the dot from the end of names, and
/// empty segments and needless escapes from paths. It refuses a path that some servers would take
/// for a step upwards after they decode it once more.
pub fn normal(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text)
        .map_err(|error| format!("'{}' is not a URL: {error}", masked_url(text).escape_debug()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{}: is neither http nor https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user or password cannot stand in a URL: secrets have slots".into());
    }
    url.set_fragment(None);
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_end_matches('.');
    if bare.is_empty() {
        return Err("it names no host".into());
    }
    if bare.len() != host.len() {
        let bare = bare.to_owned();
        url.set_host(Some(&bare))
            .map_err(|error| format!("'{bare}' is not the name of a host: {error}"))?;
    }
    let path = path(url.path())?;
    url.set_path(&path);
    Ok(url)
}

fn path(path: &str) -> Result<String, String> {
    let mut normal = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        if hides_steps(segment) {
            return Err(format!(
                "the path hides a step upwards or a control character in '{}'",
                segment.escape_debug()
            ));
        }
        normal.push('/');
        // Only characters that mean the same in both spellings: an escaped slash is not a slash.
        normal.push_str(&unescaped(segment, |byte| {
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
        }));
    }
    if path.ends_with('/') {
        normal.push('/');
    }
    Ok(normal)
}

/// The text with all its escapes decoded.
pub fn decoded(text: &str) -> String {
    unescaped(text, |_| true)
}

/// Decodes the escapes of those bytes that `may` be decoded.
fn unescaped(text: &str, may: impl Fn(u8) -> bool) -> String {
    let bytes = text.as_bytes();
    let hex = |at: usize| {
        bytes.get(at).and_then(|digit| char::from(*digit).to_digit(16)).map(|digit| digit as u8)
    };
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = if bytes[at] == b'%' {
            hex(at + 1).zip(hex(at + 2)).map(|(high, low)| high << 4 | low)
        } else {
            None
        };
        match escape {
            Some(byte) if may(byte) => plain.push(byte),
            Some(byte) => plain.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            None => plain.push(bytes[at]),
        }
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Whether a segment could mean `..` to a server that decodes twice, takes a backslash for a slash,
/// or cuts a segment at its semicolon.
fn hides_steps(segment: &str) -> bool {
    let mut text = segment.to_owned();
    loop {
        let is_step = |part: &str| matches!(part.split(';').next(), Some("." | ".."));
        if text.split(['/', '\\']).any(is_step) || text.chars().any(char::is_control) {
            return true;
        }
        // Until nothing is left to decode: a proxy and the server behind it can each decode once.
        let plain = decoded(&text);
        if plain == text {
            return false;
        }
        text = plain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(area: &str, url: &str) -> bool {
        Area::parse(area).unwrap().holds(&normal(url).unwrap())
    }

    #[test]
    fn an_area_holds_its_host_its_port_and_what_is_below_its_path() {
        let area = "https://api.example.com/v1/";
        for inside in [
            "https://api.example.com/v1/",
            "https://api.example.com/v1/costs?from=/../x",
            "https://API.Example.COM:443/v1/costs",
            "https://api.example.com./v1/costs",
            "https://api.example.com/v2/../v1/costs",
            "https://api.example.com//v1///costs",
            "https://api.example.com/%76%31/costs",
            "https:\\\\api.example.com\\v1\\costs",
        ] {
            assert!(holds(area, inside), "{inside}");
        }
        for outside in [
            "http://api.example.com/v1/",
            "https://api.example.com:8443/v1/",
            "https://api.example.com/v1",
            "https://api.example.com/v1/../admin",
            "https://api.example.com/v1/%2e%2E/admin",
            "https://api.example.com/v10/",
            "https://example.com/v1/",
            "https://api.example.com.evil.org/v1/",
            "https://evil.api.example.com/v1/",
        ] {
            assert!(!holds(area, outside), "{outside}");
        }
        assert!(
            holds("https://h/v1", "https://h/v1")
                && holds("https://h/v1", "https://h/v1/x")
                && !holds("https://h/v1", "https://h/v1x")
        );
        assert!(
            holds("https://h", "https://h/anything")
                && holds("http://127.0.0.1:90", "http://0x7f.1:90/")
                && holds("http://[::1]:90", "http://[0:0::1]:90/")
        );
    }

    #[test]
    fn a_star_stands_for_names_below() {
        let area = "https://*.example.com/";
        assert!(holds(area, "https://a.example.com/") && holds(area, "https://a.b.example.com/"));
        assert!(
            !holds(area, "https://example.com/")
                && !holds(area, "https://aexample.com/")
                && !holds(area, "https://.example.com/")
        );
        assert!(
            holds("https://bücher.example/", "https://xn--bcher-kva.example/")
                && holds("https://xn--bcher-kva.example", "https://BÜCHER.example")
        );
    }

    #[test]
    fn what_is_sent_is_what_was_compared() {
        assert_eq!(
            normal("HTTPS://H.example.:443//a//%62/%2f%c3%bc/?q=%62#f")
                .map(String::from)
                .as_deref(),
            Ok("https://h.example/a/b/%2F%C3%BC/?q=%62")
        );
    }

    #[test]
    fn what_has_no_one_spelling_is_refused() {
        for (text, expect) in [
            (
                "api.example.com/v1",
                "'api.example.com/v1' is not a URL: relative URL without a base",
            ),
            ("https://me:p/w@h/", "'https://***@h/' is not a URL: invalid port number"),
            ("ftp://h/", "ftp: is neither http nor https"),
            ("https://me:pw@h/", "a user or password cannot stand in a URL: secrets have slots"),
            ("https://h@evil.org/", "a user or password cannot stand in a URL: secrets have slots"),
            ("https://./", "it names no host"),
            (
                "https://h/a/..%2f..%2fadmin",
                "the path hides a step upwards or a control character in '..%2f..%2fadmin'",
            ),
            (
                "https://h/a/%252e%252e/admin",
                "the path hides a step upwards or a control character in '%252e%252e'",
            ),
            (
                "https://h/a/..;/admin",
                "the path hides a step upwards or a control character in '..;'",
            ),
            (
                "https://h/a/%5c..%5cadmin",
                "the path hides a step upwards or a control character in '%5c..%5cadmin'",
            ),
            (
                "https://h/a%0d%0ab",
                "the path hides a step upwards or a control character in 'a%0d%0ab'",
            ),
        ] {
            assert_eq!(normal(text).map(String::from), Err(expect.to_owned()), "{text}");
        }
        for text in [
            "https://*/",
            "https://*.com/",
            "https://a.*.com/",
            "https://*.*.example.com/",
            "https://*.10.0.0.1/",
            "https://h/?q",
            "https://h/#f",
        ] {
            assert!(Area::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn servers_are_compared_without_paths() {
        let within = |area: &str, other: &str| {
            Area::parse(area).unwrap().has_its_servers_in(&Area::parse(other).unwrap())
        };
        assert!(
            within("https://h/a", "https://h/b")
                && within("https://x.h.org", "https://*.h.org")
                && within("https://*.x.h.org", "https://*.h.org")
        );
        assert!(
            !within("http://h/", "https://h/")
                && !within("https://*.h.org", "https://x.h.org")
                && !within("https://*.org.uk", "https://*.x.org.uk")
        );
    }
}
