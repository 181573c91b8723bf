//! The collector `aws-cost-explorer`: costs from AWS Cost Explorer by one or two groups, or by EKS
//! cluster.

mod collection;
mod eks;
mod options;
mod reading;
#[cfg(test)]
mod tests;
mod window;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector, run_info,
};
use collection::Collection;
use options::Options;

struct AwsCostExplorer(Collection);

impl Collector for AwsCostExplorer {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "aws-cost-explorer",
            env!("CARGO_PKG_VERSION"),
            "AWS Cost Explorer: cost by tag, service, account and more, or by EKS cluster",
        )
        .power("aws-cost-explorer", "to ask for costs; each request costs about 0.01 USD")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge for each group of a day or month")
        .stream("usage", "quantities by the same groups, where usage_quantity is set")
        .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        Ok(Options::parse(config)?.problems())
    }

    fn open(request: Request) -> Result<AwsCostExplorer, Error> {
        let options = Options::parse(&request.config)?;
        Collection::open(options, request.period.as_ref(), &run_info::now()).map(AwsCostExplorer)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        self.0.next()
    }
}

register_collector!(AwsCostExplorer);
