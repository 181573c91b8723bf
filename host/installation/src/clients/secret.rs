//! Secrets out of their sections: where a value is kept, and where it may go.

use crate::file::in_root;
use crate::settings::secret::{KeptSection, OAuth2Section, SecretSection};
use reach::http::{AllowedRequest, Area, normal};
use reach::secret::{OAuth2, SecretKeeper, SecretSlot};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;

/// The scope of a service account where none is written: reading.
const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform.read-only";

/// A value of a section that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub span: Range<usize>,
    pub message: String,
    pub hint: String,
}

/// Reads sections of secrets, and collects their flaws.
#[derive(Debug)]
pub struct SecretCheck<'a> {
    /// Relative paths start here.
    root: &'a Path,
    pub flaws: Vec<Flaw>,
}

impl SecretCheck<'_> {
    pub fn new(root: &Path) -> SecretCheck<'_> {
        SecretCheck { root, flaws: Vec::new() }
    }

    /// A slot of a source that may make the requests in `allow`.
    pub fn slot(
        &mut self,
        section: &Spanned<SecretSection>,
        allow: &[AllowedRequest],
    ) -> Option<SecretSlot> {
        let (span, section) = (section.span(), section.get_ref());
        let areas = self.areas(&span, section.areas.as_deref().unwrap_or_default(), allow);
        let kept = KeptSection {
            env: section.env.clone(),
            file: section.file.clone(),
            command: section.command.clone(),
        };
        let google = section.google_service_account.as_ref();
        let named =
            places(&kept) + usize::from(section.oauth2.is_some()) + usize::from(google.is_some());
        if named != 1 {
            let message = format!("this secret is kept in {named} places, and it has to be one");
            self.add(
                &span,
                message,
                "write one of `env = \"NAME\"`, `file = \"path\"`, `command = [\"program\"]`, \
                    `oauth2 = {…}`, `google_service_account = {…}`",
            );
            return None;
        }
        let keeper = match (&section.oauth2, google) {
            (Some(client), _) => self.client(client.get_ref())?,
            (_, Some(account)) => {
                let scope = account.scope.clone().unwrap_or_else(|| GOOGLE_SCOPE.into());
                let file = in_root(self.root, Path::new(&account.file));
                SecretKeeper::GoogleServiceAccount { file, scope }
            }
            (None, None) => self.kept(&Spanned::new(span, kept))?,
        };
        Some(SecretSlot { keeper, areas })
    }

    /// Where a value is kept.
    pub fn kept(&mut self, section: &Spanned<KeptSection>) -> Option<SecretKeeper> {
        match section.get_ref() {
            KeptSection { env: Some(name), file: None, command: None } if !name.is_empty() => {
                Some(SecretKeeper::Env(name.clone()))
            }
            KeptSection { env: None, file: Some(path), command: None } if !path.is_empty() => {
                Some(SecretKeeper::File(in_root(self.root, Path::new(path))))
            }
            KeptSection { env: None, file: None, command: Some(words) } if !words.is_empty() => {
                Some(SecretKeeper::Command(words.clone()))
            }
            kept => {
                let message = match places(kept) {
                    0 | 1 => "it is not said where this secret is kept".to_owned(),
                    named => format!("this secret is kept in {named} places, and it has to be one"),
                };
                self.add(
                    &section.span(),
                    message,
                    "write one of `env = \"NAME\"`, `file = \"path\"`, `command = [\"program\", \
                        \"argument\"]`",
                );
                None
            }
        }
    }

    fn client(&mut self, client: &OAuth2Section) -> Option<SecretKeeper> {
        if let Err(reason) = normal(client.token_url.get_ref()) {
            self.add(
                &client.token_url.span(),
                format!("tokens cannot come from there: {reason}"),
                "write the URL of the token endpoint; a user and a password go into `client_id` \
                    and `client_secret`",
            );
        }
        let secret = self.kept(&client.client_secret)?;
        Some(SecretKeeper::OAuth2(OAuth2 {
            token_url: client.token_url.get_ref().clone(),
            client_id: client.client_id.clone(),
            client_secret: Box::new(secret),
            scope: client.scope.clone(),
        }))
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
    fn add(&mut self, span: &Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.flaws.push(Flaw { span: span.clone(), message: message.into(), hint: hint.into() });
    }
}

/// The number of ways in which a value is said to be kept.
fn places(kept: &KeptSection) -> usize {
    [kept.env.is_some(), kept.file.is_some(), kept.command.is_some()]
        .into_iter()
        .filter(|named| *named)
        .count()
}
