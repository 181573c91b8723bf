//! Writes a month of a cloud bill in the FOCUS format, as CSV and as Parquet, for measuring.
//!
//! There is no floating point, so the same arguments give the same bytes on every machine.

mod bill;
mod calendar;
mod catalog;
mod csv;
mod estate;
mod parquet_file;
mod random;
mod row;

use crate::bill::Bill;
use crate::calendar::Month;
use crate::catalog::TEAMS;
use crate::csv::CsvFile;
use crate::estate::Estate;
use crate::parquet_file::ParquetFile;
use crate::random::Random;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

const USAGE: &str = "bench-gen --rows N [--resources N] [--hourly] [--seed N] \
                     [--month 2026-06] [--csv FILE] [--parquet FILE] [--accounts FILE]";

struct Arguments {
    rows: u64,
    resources: Option<usize>,
    is_hourly: bool,
    seed: u64,
    month: Month,
    csv: Option<PathBuf>,
    parquet: Option<PathBuf>,
    accounts: Option<PathBuf>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
        let month = Month { year: 2026, number: 6 };
        let mut arguments = Arguments {
            rows: 0,
            resources: None,
            is_hourly: false,
            seed: 42,
            month,
            csv: None,
            parquet: None,
            accounts: None,
        };
        while let Some(word) = words.next() {
            if word == "--hourly" {
                arguments.is_hourly = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"))?;
            match word.as_str() {
                "--rows" => arguments.rows = value.parse()?,
                "--resources" => arguments.resources = Some(value.parse()?),
                "--seed" => arguments.seed = value.parse()?,
                "--month" => {
                    arguments.month = Month::parse(&value)
                        .ok_or_else(|| format!("{value} is no month such as 2026-06"))?
                }
                "--csv" => arguments.csv = Some(value.into()),
                "--parquet" => arguments.parquet = Some(value.into()),
                "--accounts" => arguments.accounts = Some(value.into()),
                _ => return Err(format!("{word} is unknown\n{USAGE}").into()),
            }
        }
        if arguments.rows == 0 { Err(USAGE.into()) } else { Ok(arguments) }
    }

    fn resource_count(&self) -> usize {
        self.resources.unwrap_or((self.rows / 60).max(200) as usize).max(1)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let mut random = Random::new(arguments.seed);
    let estate = Estate::generate(
        &mut random,
        arguments.seed,
        arguments.resource_count(),
        arguments.month.days(),
    );
    if let Some(path) = &arguments.accounts {
        std::fs::write(path, accounts(&estate))?;
    }
    let mut csv = arguments.csv.as_deref().map(CsvFile::create).transpose()?;
    let mut parquet = arguments.parquet.as_deref().map(ParquetFile::create).transpose()?;
    let bill =
        Bill::new(&estate, arguments.month, arguments.is_hourly, arguments.rows, &mut random);
    bill.each_row(&mut random, |row| -> Result<(), Box<dyn Error>> {
        if let Some(csv) = &mut csv {
            csv.write(row)?;
        }
        if let Some(parquet) = &mut parquet {
            parquet.write(row)?;
        }
        Ok(())
    })?;
    csv.map_or(Ok(()), CsvFile::finish)?;
    parquet.map_or(Ok(()), ParquetFile::finish)?;
    Ok(())
}

/// The owners of the accounts, as CSV.
fn accounts(estate: &Estate) -> String {
    let mut text = String::from("id,name,team,kind\n");
    for account in &estate.accounts {
        let team = account.team.map_or("", |team| TEAMS[team]);
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{},{},{team},{:?}", account.id, account.name, account.kind);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(words.iter().map(|word| (*word).to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_resource_has_sixty_rows_unless_said_otherwise() {
        assert_eq!(
            parse(&["--rows", "60000"]).map(|arguments| arguments.resource_count()),
            Ok(1_000)
        );
        assert_eq!(parse(&["--rows", "600"]).map(|arguments| arguments.resource_count()), Ok(200));
        assert_eq!(
            parse(&["--rows", "600", "--resources", "7"])
                .map(|arguments| arguments.resource_count()),
            Ok(7)
        );
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert_eq!(
            parse(&["--rows", "1", "--month", "June"]).err(),
            Some("June is no month such as 2026-06".to_owned())
        );
        assert_eq!(parse(&["--raws", "1"]).err(), Some(format!("--raws is unknown\n{USAGE}")));
        assert_eq!(parse(&[]).err(), Some(USAGE.to_owned()));
    }
}
