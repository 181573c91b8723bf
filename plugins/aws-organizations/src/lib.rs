//! The collector `aws-organizations`: the accounts of an organization, as rows of a lookup table.

mod rows;

use apportion_plugin_sdk::aws::accounts;
use apportion_plugin_sdk::aws::organizations::Account;
use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, Rows, register_collector, run_info,
};
use rows::Options;
use std::collections::BTreeSet;

struct AwsOrganizations {
    options: Options,
    done: bool,
}

impl Collector for AwsOrganizations {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "aws-organizations",
            env!("CARGO_PKG_VERSION"),
            "The accounts of an AWS organization, with their tags and organizational units",
        )
        .power("aws-organizations", "to list the accounts, their tags and organizational units")
        .config_schema(include_str!("config-schema.json"))
        .stream("usage", "one row an account, for `apportion source table`")
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        Options::parse(config).map(|_| Vec::new())
    }

    fn open(request: Request) -> Result<AwsOrganizations, Error> {
        Ok(AwsOrganizations { options: Options::parse(&request.config)?, done: false })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        let usage = rows::rows(all_accounts()?, &self.options, &run_info::now());
        Ok(Some(Batch { usage, ..Batch::new(Rows::Charges(Vec::new())) }))
    }
}

/// All accounts. The columns of the table depend on all of them, because each may have other tags.
fn all_accounts() -> Result<Vec<Account>, Error> {
    let (mut all, mut next, mut seen) = (Vec::new(), None, BTreeSet::new());
    loop {
        let page = accounts(next)?;
        all.extend(page.accounts);
        match page.next {
            None => return Ok(all),
            Some(token) if seen.insert(token.clone()) => next = Some(token),
            Some(_) => {
                return Err(Error::Unavailable(
                    "AWS Organizations points back to a page of accounts that was there before"
                        .into(),
                ));
            }
        }
    }
}

register_collector!(AwsOrganizations);

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::aws::organizations::Page;
    use apportion_plugin_sdk::{Tag, fixture};

    fn account(id: &str, tags: &[(&str, &str)], units: &[&str]) -> Account {
        let tags = tags
            .iter()
            .map(|(key, value)| Tag { key: (*key).into(), value: (*value).into() })
            .collect();
        let units = units.iter().map(|unit| (*unit).to_owned()).collect();
        Account {
            id: id.into(),
            name: format!("name of {id}"),
            status: "ACTIVE".into(),
            tags,
            units,
        }
    }

    fn collected(config: &str) -> Result<Vec<Vec<(String, String)>>, Error> {
        fixture::run("organization", "2026-11-25T13:00:00Z");
        let request = Request { config: config.into(), period: None, state: None };
        let batch = AwsOrganizations::open(request)?.next()?.expect("a page");
        let row = |usage: apportion_plugin_sdk::Usage| {
            usage.keys.into_iter().map(|tag| (tag.key, tag.value)).collect()
        };
        Ok(batch.usage.into_iter().map(row).collect())
    }

    fn columns(row: &[(String, String)]) -> String {
        row.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn accounts_of_all_pages_have_the_columns_of_all_tags() {
        fixture::aws_organizations(|next| {
            Ok(match next {
                None => Page {
                    accounts: vec![account(
                        "222",
                        &[("team", "search"), ("name", "x")],
                        &["Workloads", "Prod"],
                    )],
                    next: Some("2".into()),
                },
                Some(_) => {
                    Page { accounts: vec![account("111", &[("env", "prod")], &[])], next: None }
                }
            })
        });
        let rows = collected("").unwrap();
        assert_eq!(
            columns(&rows[0]),
            "account_id=111 name=name of 111 status=ACTIVE unit= env=prod tag_name= team="
        );
        assert_eq!(
            columns(&rows[1]),
            "account_id=222 name=name of 222 status=ACTIVE unit=Workloads/Prod env= tag_name=x \
             team=search"
        );
        let rows = collected(r#"{"tags": ["team", "owner"]}"#).unwrap();
        assert_eq!(
            columns(&rows[1]),
            "account_id=222 name=name of 222 status=ACTIVE unit=Workloads/Prod team=search owner="
        );
    }

    #[test]
    fn pages_that_never_end_are_an_error() {
        fixture::aws_organizations(|_| {
            Ok(Page { accounts: Vec::new(), next: Some("again".into()) })
        });
        let expect = Error::Unavailable(
            "AWS Organizations points back to a page of accounts that was there before".into(),
        );
        assert_eq!(collected(""), Err(expect));
    }
}
