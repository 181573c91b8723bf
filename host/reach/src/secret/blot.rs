//! Takes secrets out of answers and messages, in every form in which servers repeat them.

use super::BYTES_MIN;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use domain::diagnostic::Diagnostic;
use memchr::memmem;
use secrecy::zeroize::Zeroizing;
use std::sync::{Mutex, PoisonError};

/// Stands where a secret was.
const BLOT: &str = "[secret]";

/// Every form of every secret that was put into a request.
#[derive(Default)]
pub struct Blots(Mutex<Vec<Zeroizing<Vec<u8>>>>);

impl Blots {
    /// From now on the text is blotted: as it is, and as URLs, JSON and base64 have it. A shorter
    /// text than a secret is left out: it would be blotted out of other words.
    pub fn add(&self, secret: &str) {
        if secret.len() < BYTES_MIN {
            return;
        }
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for form in written_forms(secret) {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        // A secret may be a part of another one. The longer form goes first, so that no part stays.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// The text `user:password`. The password is blotted alone too.
    pub fn add_pair(&self, pair: &str) {
        self.add(pair);
        self.add(pair.split_once(':').map_or("", |(_, password)| password));
    }

    pub fn bytes(&self, text: Vec<u8>) -> Vec<u8> {
        let forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forms.iter().fold(text, |text, form| without(text, form))
    }

    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes().to_vec())).into_owned()
    }

    /// Whether the text has a secret in it.
    pub fn hit(&self, text: &str) -> bool {
        self.bytes(text.as_bytes().to_vec()) != text.as_bytes()
    }

    pub fn diagnostic(&self, diagnostic: Diagnostic) -> Diagnostic {
        let hint = diagnostic.hint.map(|hint| hint.map(|words| self.text(words)));
        Diagnostic { message: self.text(&diagnostic.message), hint, ..diagnostic }
    }
}

fn written_forms(secret: &str) -> [Zeroizing<Vec<u8>>; 10] {
    let json = Zeroizing::new(serde_json::to_string(secret).unwrap_or_default());
    let json = json.trim_matches('"').to_owned();
    let upper = percent(secret, false);
    [
        secret.to_owned(),
        upper.replace("%20", "+"),
        upper.replace("%2F", "/"),
        upper,
        percent(secret, true),
        json.replace('/', "\\/"),
        json,
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ]
    .map(|form| Zeroizing::new(form.into_bytes()))
}

fn without(text: Vec<u8>, form: &[u8]) -> Vec<u8> {
    let mut places = memmem::find_iter(&text, form).peekable();
    if places.peek().is_none() {
        return text;
    }
    let mut blotted = Vec::with_capacity(text.len());
    let mut after = 0;
    for place in places {
        blotted.extend_from_slice(&text[after..place]);
        blotted.extend_from_slice(BLOT.as_bytes());
        after = place + form.len();
    }
    blotted.extend_from_slice(&text[after..]);
    blotted
}

/// Percent-encoded by RFC 3986 as a part of a query.
fn percent(text: &str, lower: bool) -> String {
    let mut escaped = String::with_capacity(3 * text.len());
    for byte in text.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                escaped.push(char::from(byte));
            }
            byte if lower => escaped.push_str(&format!("%{byte:02x}")),
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_blotted() {
        let blots = Blots::default();
        blots.add("a/b \"c\"+ü");
        blots.add("c\"+ü");
        for form in [
            "a/b \"c\"+ü",
            "a%2Fb%20%22c%22%2B%C3%BC",
            "a%2fb%20%22c%22%2b%c3%bc",
            "a%2Fb+%22c%22%2B%C3%BC",
            r#"a/b \"c\"+ü"#,
            r#"a\/b \"c\"+ü"#,
            "YS9iICJjIivDvA==",
            "YS9iICJjIivDvA",
        ] {
            assert_eq!(blots.text(&format!("<{form}|{form}>")), "<[secret]|[secret]>", "{form}");
        }
        assert_eq!(blots.text("a/b c\"+ü"), "a/b [secret]");
        assert_eq!(blots.text("a b 12.50"), "a b 12.50");
        assert!(blots.hit("https://h/?k=c%22%2b%c3%bc") && !blots.hit("https://h/?k=c"));
    }

    /// A secret has at least four bytes. The password of `me:abc` has three.
    #[test]
    fn a_text_that_is_too_short_for_a_secret_stays() {
        let blots = Blots::default();
        for text in ["", "a", "abc", "me:abc"] {
            blots.add(text);
        }
        assert_eq!(blots.text("abc of a bar, me:abc"), "abc of a bar, [secret]");
    }
}
