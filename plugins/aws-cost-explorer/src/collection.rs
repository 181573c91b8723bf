//! One collection: queries to Cost Explorer, their pages, and the rows of these.

use crate::eks::Cluster;
use crate::options::Options;
use crate::reading::{self, read};
use crate::window::Window;
use apportion_plugin_sdk::aws::cost_explorer::{Granularity, Page, Query};
use apportion_plugin_sdk::aws::get_cost_and_usage;
use apportion_plugin_sdk::{Batch, Error, Period, Rejected, Rows, log};
use std::collections::{BTreeSet, VecDeque};

/// A query, for one cluster or for all costs, and how far it has come.
struct Question {
    cluster: Option<Cluster>,
    query: Query,
    pages: u32,
    /// Tokens of pages so far: one that comes twice would lead in a circle.
    tokens: BTreeSet<String>,
    /// Day and groups of the rows so far: a row that comes twice would count twice.
    seen: BTreeSet<(String, Vec<String>)>,
}

pub struct Collection {
    options: Options,
    questions: VecDeque<Question>,
    rows: u64,
    estimated: u64,
}

impl Collection {
    pub fn open(options: Options, period: Option<&Period>, now: &str) -> Result<Collection, Error> {
        let mut collection =
            Collection { questions: VecDeque::new(), options, rows: 0, estimated: 0 };
        let options = &collection.options;
        let Some(window) = Window::new(period, options.granularity, now)? else {
            log::warn(nothing(options.granularity));
            return Ok(collection);
        };
        let clusters: Vec<Option<Cluster>> = if options.clusters.is_empty() {
            vec![None]
        } else {
            options.clusters.iter().cloned().map(Some).collect()
        };
        for cluster in clusters {
            let filter = match &cluster {
                Some(cluster) => Some(cluster.filter(options.filter.as_ref())),
                None => options.filter.clone(),
            };
            let query = Query {
                start: window.start.to_string(),
                end: window.end.to_string(),
                granularity: options.granularity,
                metrics: options.metrics(),
                group_by: options.group_by.iter().map(|group| group.group.clone()).collect(),
                filter: filter.map(|filter| filter.to_string()),
                next: None,
            };
            let question = Question {
                cluster,
                query,
                pages: 0,
                tokens: BTreeSet::new(),
                seen: BTreeSet::new(),
            };
            collection.questions.push_back(question);
        }
        Ok(collection)
    }

    /// The rows of the next page.
    pub fn next(&mut self) -> Result<Option<Batch>, Error> {
        let Some(question) = self.questions.front_mut() else {
            if self.estimated > 0 {
                log::info(&format!(
                    "{} of {} rows are estimates, which AWS may still change",
                    self.estimated, self.rows
                ));
                self.estimated = 0;
            }
            return Ok(None);
        };
        let page = get_cost_and_usage(&question.query)?;
        question.pages += 1;
        self.rows += page.rows.len() as u64;
        self.estimated += page.rows.iter().filter(|row| row.estimated).count() as u64;
        let batch = question.batch(&page, &self.options);
        match page.next {
            Some(token) => question.turn(token)?,
            None => drop(self.questions.pop_front()),
        }
        Ok(Some(batch))
    }
}

fn nothing(granularity: Granularity) -> &'static str {
    match granularity {
        Granularity::Daily => "the period lies in the future: nothing is asked for",
        Granularity::Monthly => {
            "no month begins in the period, and a month counts on its first day: nothing is asked \
             for"
        }
    }
}

impl Question {
    fn batch(&mut self, page: &Page, options: &Options) -> Batch {
        let (mut charges, mut usage, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
        for row in &page.rows {
            if !self.seen.insert((row.start.clone(), row.keys.clone())) {
                let reason =
                    "AWS gave the same day and groups before; they are counted once".to_owned();
                rejected.push(Rejected {
                    location: reading::location(row),
                    reason,
                    excerpt: reading::excerpt(row),
                });
                continue;
            }
            match read(row, options, self.cluster.as_ref()) {
                Ok(read) => {
                    charges.push(read.charge);
                    usage.extend(read.usage);
                }
                Err(refused) => rejected.push(refused),
            }
        }
        Batch { usage, rejected, ..Batch::new(Rows::Charges(charges)) }
    }

    /// Turns to the next page. Going back to an earlier page would never end.
    fn turn(&mut self, token: String) -> Result<(), Error> {
        if !self.tokens.insert(token.clone()) {
            return Err(Error::Unavailable(format!(
                "after page {} AWS Cost Explorer points back to a page that was there before",
                self.pages
            )));
        }
        self.query.next = Some(token);
        Ok(())
    }
}
