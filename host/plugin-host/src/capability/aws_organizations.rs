//! The power `aws-organizations`: accounts with their tags and units.

use super::State;
use crate::power::Power;
use crate::wit::bindings::{aws_organizations as wit, types};
use reach::aws_organizations as host;

fn account(account: host::OrganizationAccount) -> wit::Account {
    let tags = account.tags.into_iter().map(|(key, value)| types::Tag { key, value }).collect();
    wit::Account {
        id: account.id,
        name: account.name,
        status: account.status,
        tags,
        units: account.units,
    }
}

impl wit::Host for State {
    fn accounts(
        &mut self,
        next: Option<String>,
    ) -> wasmtime::Result<Result<wit::Page, types::Error>> {
        let organizations = self.clients.organizations.clone();
        self.reach_out(Power::AwsOrganizations, organizations, |organizations| {
            let page = organizations.accounts(next.as_deref())?;
            Ok(wit::Page {
                accounts: page.accounts.into_iter().map(account).collect(),
                next: page.next,
            })
        })
    }
}
