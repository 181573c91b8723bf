//! AWS Organizations by the official SDK.

use crate::aws::{self, AwsAccess, AwsAction};
use crate::failure::{Failure, FailureKind};
use crate::runtime::block_on;
use crate::secret::Blots;
use aws_sdk_costexplorer::config::http::HttpResponse;
use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_organizations::types::{Account as SdkAccount, ParentType};
use aws_sdk_organizations::{Client, config};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const SERVICE: &str = "AWS Organizations";
/// AWS allows five levels below the root.
const LEVELS_MAX: usize = 16;
/// The tags of an account never fill so many pages.
const TAG_PAGES_MAX: usize = 16;

/// Answers a plugin's queries of an organization: AWS does, or a script.
pub trait AccountPages: Send + Sync {
    fn accounts(&self, next: Option<&str>) -> Result<AccountPage, Failure>;
}

impl AccountPages for Organizations {
    fn accounts(&self, next: Option<&str>) -> Result<AccountPage, Failure> {
        Organizations::accounts(self, next)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationAccount {
    pub id: String,
    pub name: String,
    pub status: String,
    pub tags: Vec<(String, String)>,
    /// From the root down.
    pub units: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPage {
    pub accounts: Vec<OrganizationAccount>,
    pub next: Option<String>,
}

pub struct Organizations {
    access: AwsAccess,
    client: OnceLock<Client>,
    blots: Arc<Blots>,
    /// The names of a unit and of the units above it, from the root down, by the unit's id.
    units: Mutex<HashMap<String, Vec<String>>>,
}

impl Organizations {
    pub fn new(access: AwsAccess) -> Organizations {
        Organizations {
            access,
            client: OnceLock::new(),
            blots: Arc::default(),
            units: Mutex::default(),
        }
    }

    pub fn accounts(&self, next: Option<&str>) -> Result<AccountPage, Failure> {
        let client = self.client();
        block_on(async {
            let listed =
                client.list_accounts().set_next_token(next.map(str::to_owned)).send().await;
            let listed =
                listed.map_err(|error| self.failure("organizations:ListAccounts", &error))?;
            let found = listed.accounts.as_ref().map_or(0, Vec::len);
            tracing::debug!(source = self.access.source, accounts = found, "accounts were listed");
            let mut accounts = Vec::new();
            for account in listed.accounts.unwrap_or_default() {
                accounts.push(self.account(client, account).await?);
            }
            Ok(AccountPage { accounts, next: listed.next_token.filter(|token| !token.is_empty()) })
        })
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let found = block_on(aws::configuration(&self.access, &self.blots));
            let mut config = config::Builder::from(&found);
            if let Some(endpoint) = &self.access.endpoint {
                config = config.endpoint_url(endpoint);
            }
            Client::from_conf(config.build())
        })
    }

    fn failure<E>(&self, action: &'static str, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let asked = AwsAction { service: SERVICE, action };
        aws::failure(&self.access, asked, &self.blots, error)
    }

    async fn account(
        &self,
        client: &Client,
        account: SdkAccount,
    ) -> Result<OrganizationAccount, Failure> {
        let id = account.id.clone().unwrap_or_default();
        let tags = self.tags(client, &id).await?;
        let units = self.units_of(client, &id).await?;
        // AWS replaces `Status` by `State`, and will stop giving `Status`.
        let status = account
            .state
            .as_ref()
            .map(|state| state.as_str())
            .or_else(|| account.status.as_ref().map(|status| status.as_str()));
        Ok(OrganizationAccount {
            name: account.name.unwrap_or_default(),
            status: status.unwrap_or_default().to_owned(),
            id,
            tags,
            units,
        })
    }

    async fn tags(&self, client: &Client, account: &str) -> Result<Vec<(String, String)>, Failure> {
        let (mut tags, mut next) = (Vec::new(), None);
        for _ in 0..TAG_PAGES_MAX {
            let page = client
                .list_tags_for_resource()
                .resource_id(account)
                .set_next_token(next)
                .send()
                .await;
            let page =
                page.map_err(|error| self.failure("organizations:ListTagsForResource", &error))?;
            tags.extend(page.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => next = Some(token),
                None => return Ok(tags),
            }
        }
        Err(Failure::new(
            FailureKind::Unavailable,
            format!("{SERVICE} lists the tags of account {account} without end"),
        ))
    }

    /// The names of the units above an account or a unit.
    async fn units_of(&self, client: &Client, child: &str) -> Result<Vec<String>, Failure> {
        // Units from below, each with its name. The climb ends at a unit whose path is known.
        let (mut climbed, mut at): (Vec<(String, String)>, String) = (Vec::new(), child.to_owned());
        let mut path = Vec::new();
        loop {
            let parents = client.list_parents().child_id(&at).send().await;
            let parents =
                parents.map_err(|error| self.failure("organizations:ListParents", &error))?;
            let parent = parents.parents.unwrap_or_default().into_iter().next();
            let Some(unit) = parent
                .filter(|parent| parent.r#type == Some(ParentType::OrganizationalUnit))
                .and_then(|parent| parent.id)
            else {
                break;
            };
            if let Some(known) = self.known(&unit) {
                path = known;
                break;
            }
            if climbed.len() == LEVELS_MAX {
                return Err(Failure::new(
                    FailureKind::Unavailable,
                    format!("{SERVICE} says that units lie in each other without end, at {unit}"),
                ));
            }
            climbed.push((unit.clone(), self.name(client, &unit).await?));
            at = unit;
        }
        for (unit, name) in climbed.into_iter().rev() {
            path.push(name);
            self.units.lock().unwrap_or_else(PoisonError::into_inner).insert(unit, path.clone());
        }
        Ok(path)
    }

    fn known(&self, unit: &str) -> Option<Vec<String>> {
        self.units.lock().unwrap_or_else(PoisonError::into_inner).get(unit).cloned()
    }

    async fn name(&self, client: &Client, unit: &str) -> Result<String, Failure> {
        let described =
            client.describe_organizational_unit().organizational_unit_id(unit).send().await;
        let described = described
            .map_err(|error| self.failure("organizations:DescribeOrganizationalUnit", &error))?;
        Ok(described
            .organizational_unit
            .and_then(|unit| unit.name)
            .unwrap_or_else(|| unit.to_owned()))
    }
}
